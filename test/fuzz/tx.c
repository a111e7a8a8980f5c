/* Transactions from strangers: what parses must serialise to the same bytes and parse again to the same ids. */
#include "primitives/tx.h"
#include "base/check.h"
#include "consensus/tx_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct tx *tx, struct span raw)
{
    struct buffer out = {0};
    tx_write(&out, tx);
    CHECK(span_equal(buffer_span(&out), raw));
    CHECK(tx->size == raw.len && tx->base_size <= tx->size);
    out.len = 0;
    tx_write_no_witness(&out, tx);
    CHECK(out.len == tx->base_size);
    struct arena arena = {0};
    struct tx again;
    if (tx_parse(&again, buffer_span(&out), &arena, TX_NO_WITNESS)) CHECK(txid_equal(&again.txid, &tx->txid));
    struct verdict v = {0};
    CHECK(tx_check(tx, &v) == (v.reason[0] == '\0'));
    arena_clear(&arena);
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct tx tx;
    if (tx_parse(&tx, span_of(data, size), &arena, 0)) check_round_trip(&tx, span_of(data, size));
    arena_clear(&arena);
    if (tx_parse_any(&tx, span_of(data, size), &arena)) CHECK(tx.size >= tx.base_size);
    arena_clear(&arena);
    return 0;
}
