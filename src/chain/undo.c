/* Undo data: the coins that a block spent, written and read in the form of rev*.dat. */
#include "chain/undo.h"

#include "base/check.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"

/* One spent coin: where there is a height, a zero stands where old versions wrote the transaction's version. */
static void undo_put_coin(struct buffer *out, const struct coin *coin)
{
    buffer_put_varint(out, coin->origin);
    if (coin_height(coin->origin) > 0) buffer_put_u8(out, 0);
    buffer_put_varint(out, amount_compress((uint64_t)coin->value));
    script_compress(out, coin->script_pubkey);
}

void undo_write(struct buffer *out, const struct block *b, const struct coin *coins, size_t count)
{
    size_t at = 0;
    buffer_put_compact_size(out, b->tx_count ? b->tx_count - 1 : 0);
    for (size_t i = 1; i < b->tx_count; i++) {
        size_t inputs = b->txs[i].in_count;
        CHECK(inputs <= count - at);
        buffer_put_compact_size(out, inputs);
        for (size_t k = 0; k < inputs; k++) undo_put_coin(out, &coins[at++]);
    }
    CHECK(at == count);
}

static uint32_t read_varint32(struct reader *r)
{
    uint64_t v = read_varint(r);
    if (v > UINT32_MAX) reader_fail(r);
    return (uint32_t)v;
}

static void undo_read_coin(struct undo *u, struct coin *coin, struct reader *r, struct buffer *scratch)
{
    coin->origin = read_varint32(r);
    if (coin_height(coin->origin) > 0) (void)read_varint32(r);
    coin->value = (amount_sat)amount_decompress(read_varint(r));
    scratch->len = 0;
    script_decompress(scratch, r);
    uint8_t *script = arena_alloc(&u->arena, scratch->len);
    if (scratch->len) memcpy(script, scratch->data, scratch->len);
    coin->script_pubkey = span_of(script, scratch->len);
}

static size_t count_inputs(const struct block *b)
{
    size_t count = 0;
    for (size_t i = 1; i < b->tx_count; i++) count += b->txs[i].in_count;
    return count;
}

bool undo_read(struct undo *u, struct span data, const struct block *b)
{
    *u = (struct undo){.count = count_inputs(b)};
    u->coins = arena_alloc_array(&u->arena, u->count, sizeof(*u->coins));
    struct reader r = reader_of(data);
    struct buffer scratch = {0};
    struct coin *next = u->coins;
    if (read_compact_size(&r) != (b->tx_count ? b->tx_count - 1 : 0)) reader_fail(&r);
    for (size_t i = 1; i < b->tx_count && !r.failed; i++) {
        size_t inputs = b->txs[i].in_count;
        if (read_compact_size(&r) != inputs) reader_fail(&r);
        for (size_t k = 0; k < inputs && !r.failed; k++) undo_read_coin(u, next++, &r, &scratch);
    }
    buffer_clear(&scratch);
    if (!r.failed && reader_left(&r) == 0) return true;
    undo_clear(u);
    return false;
}

void undo_clear(struct undo *u)
{
    arena_clear(&u->arena);
    *u = (struct undo){0};
}

void undo_checksum(uint8_t out[32], const struct block_hash *prev, struct span data)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_put(&h, prev->bytes, sizeof(prev->bytes));
    sha256_put(&h, data.data, data.len);
    sha256_final_double(&h, out);
}
