/* Blocks from strangers: what parses must serialise to the same bytes, and the context-free checks must survive it. */
#include "base/check.h"
#include "consensus/block_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block *b = block_parse(span_of(data, size));
    if (!b) return 0;
    struct buffer out = {0};
    block_write(&out, b);
    CHECK(span_equal(buffer_span(&out), span_of(data, size)));
    CHECK(block_weight(b) == (uint64_t)b->base_size * 3 + size);
    const enum chain_type types[] = {CHAIN_MAIN, CHAIN_SIGNET};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct verdict v = {0};
        bool ok = block_check(b, chain_params_get(types[i]), BLOCK_CHECK_NO_POW | BLOCK_CHECK_NO_MERKLE, &v);
        CHECK(ok == (v.reason[0] == '\0'));
    }
    (void)block_is_mutated(b, true);
    buffer_clear(&out);
    block_free(b);
    return 0;
}
