/* JSON that a client sends: what parses must be written as JSON that is written the same again. */
#include "base/check.h"
#include "rpc/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_json(struct buffer *out, const json_t *v)
{
    struct json_writer w = json_writer_of(out);
    jw_json(&w, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char duplicate[JSON_KEY_NOTE];
    json_t *v = json_read(span_of(data, size), duplicate);
    if (!v) return 0;
    struct buffer first = {0}, second = {0};
    write_json(&first, v);
    json_t *again = json_read(buffer_span(&first), NULL);
    CHECK(again);
    write_json(&second, again);
    CHECK(span_equal(buffer_span(&first), buffer_span(&second)));
    json_decref(again);
    json_decref(v);
    buffer_clear(&first);
    buffer_clear(&second);
    return 0;
}
