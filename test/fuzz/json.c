/* JSON that a client sends: what parses must be written as JSON that parses to an equal value. */
#include "base/check.h"
#include "rpc/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char duplicate[JSON_KEY_NOTE];
    json_t *v = json_read(span_of(data, size), duplicate);
    if (!v) return 0;
    struct buffer out = {0};
    struct json_writer w = json_writer_of(&out);
    jw_json(&w, v);
    json_t *again = json_read(buffer_span(&out), NULL);
    CHECK(again && json_equal(v, again));
    json_decref(again);
    json_decref(v);
    buffer_clear(&out);
    return 0;
}
