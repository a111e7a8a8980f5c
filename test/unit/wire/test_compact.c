/* Compact blocks: real ones against their blocks, and reconstruction with everything that can go wrong. */
#include "wire_test.h"

#include "primitives/compact_size.h"
#include "support/data.h"

TestSuite(compact);

struct known {
    const char *block, *compact;
    size_t short_ids;
};

static const struct known knowns[] = {
    {"blocks/real/mainnet-426884.blk.zst", "vectors/other/cmpctblock-mainnet-426884.bin", 408},
    {"blocks/real/testnet3-898352.blk.zst", "vectors/other/cmpctblock-testnet3-898352.bin", 9},
};

/* The compact block as it was sent is the one that we make of the block with its nonce. */
Test(compact, real)
{
    if (!data_present(CAIRN_TEST_DATA, "real compact blocks")) return;
    for (size_t i = 0; i < ARRAY_LEN(knowns); i++) {
        struct buffer raw = data_read(CAIRN_TEST_DATA, knowns[i].block);
        struct buffer sent = data_read(CAIRN_TEST_DATA, knowns[i].compact);
        struct buffer ours = {0};
        struct arena arena = {0};
        struct message m;
        struct compact_block made;
        struct block *b = block_parse(buffer_span(&raw));
        cr_assert(b);
        cr_assert_eq(message_read(&m, MESSAGE_CMPCTBLOCK, buffer_span(&sent), &arena), MESSAGE_OK);
        cr_assert(m.as.cmpctblock.short_count == knowns[i].short_ids && m.as.cmpctblock.prefilled_count == 1);
        compact_block_make(&made, b, m.as.cmpctblock.nonce, &arena);
        cr_assert(made.k0 == m.as.cmpctblock.k0 && made.k1 == m.as.cmpctblock.k1);
        compact_block_write(&ours, &made);
        cr_assert(span_equal(buffer_span(&ours), buffer_span(&sent)), "%s", knowns[i].compact);
        printf("%s: %zu short ids equal\n", knowns[i].compact, made.short_count);
        block_free(b);
        buffer_clear(&raw);
        buffer_clear(&sent);
        buffer_clear(&ours);
        arena_clear(&arena);
    }
}

/* A block of COUNT transactions that spend nothing real; every third has a witness. */
static struct block *make_block(size_t count, uint32_t tag)
{
    struct buffer b = {0};
    struct block_header h = {.version = 4, .time = tag, .bits = 0x207fffff};
    block_header_write(buffer_extend(&b, HEADER_BYTES), &h);
    buffer_put_compact_size(&b, count);
    for (size_t i = 0; i < count; i++) {
        struct span item = span_str("item");
        struct tx_in in = {.prevout.index = (uint32_t)i, .sequence = tag};
        if (i % 3 == 0) in.witness = (struct witness){&item, 1};
        struct tx_out out = {.value = (amount_sat)i, .script_pubkey = span_str("Q")};
        struct tx tx = {.version = 2, .in = &in, .in_count = 1, .out = &out, .out_count = 1};
        tx_write(&b, &tx);
    }
    struct block *block = block_parse_take(b.data, b.len);
    cr_assert(block);
    return block;
}

static struct partial_candidate candidate_of(const struct block *b, size_t i)
{
    return (struct partial_candidate){.wtxid = b->txs[i].wtxid, .raw = b->txs[i].raw};
}

/* Puts B together from a random part of its transactions, the rest fetched. */
static void check_rebuild(const struct block *b, struct random *random, uint64_t of_ten)
{
    struct compact_block c;
    struct arena arena = {0};
    struct partial_block p = {0};
    compact_block_make(&c, b, random_u64(random), &arena);
    cr_assert_eq(partial_block_init(&p, &c), PARTIAL_OK);
    struct partial_candidate *pool = mem_calloc(b->tx_count, sizeof(*pool));
    struct partial_candidate *extra = mem_calloc(b->tx_count, sizeof(*extra));
    size_t pool_count = 0, extra_count = 0;
    for (size_t i = 1; i < b->tx_count; i++) {
        if (random_below(random, 10) >= of_ten) continue;
        if (random_below(random, 4) == 0)
            extra[extra_count++] = candidate_of(b, i);
        else
            pool[pool_count++] = candidate_of(b, i);
    }
    partial_block_offer(&p, pool, pool_count, false);
    partial_block_offer(&p, extra, extra_count, true);
    partial_block_offer(&p, pool, pool_count, true); /* the same again changes nothing */
    cr_assert(p.pool_count == pool_count + extra_count && p.extra_count == extra_count && p.prefilled_count == 1);
    size_t missing_count;
    uint16_t *missing = partial_block_missing(&p, &missing_count);
    cr_assert_eq(missing_count, b->tx_count - 1 - pool_count - extra_count);
    struct tx *txs = mem_calloc(missing_count + 1, sizeof(*txs));
    for (size_t i = 0; i < missing_count; i++) {
        cr_assert(!partial_block_has(&p, missing[i]));
        txs[i] = b->txs[missing[i]];
    }
    struct buffer out = {0};
    cr_assert_eq(partial_block_fill(&p, &out, txs, missing_count), PARTIAL_OK);
    cr_assert(span_equal(buffer_span(&out), b->raw));
    cr_assert_eq(partial_block_fill(&p, &out, txs, missing_count), PARTIAL_INVALID, "filled twice");
    buffer_clear(&out);
    free(pool);
    free(extra);
    free(txs);
    partial_block_clear(&p);
    arena_clear(&arena);
}

Test(compact, rebuild)
{
    struct random random;
    random_init_u64(&random, 5);
    size_t runs = 0;
    for (size_t count = 1; count < 400; count += 1 + count / 4) {
        struct block *b = make_block(count, (uint32_t)count);
        for (uint64_t of_ten = 0; of_ten <= 10; of_ten++, runs++) check_rebuild(b, &random, of_ten);
        block_free(b);
    }
    if (data_present(CAIRN_TEST_DATA, "a real block to rebuild")) {
        struct buffer raw = data_read(CAIRN_TEST_DATA, knowns[0].block);
        struct block *b = block_parse(buffer_span(&raw));
        for (uint64_t of_ten = 0; of_ten <= 10; of_ten++, runs++) check_rebuild(b, &random, of_ten);
        block_free(b);
        buffer_clear(&raw);
    }
    printf("blocks rebuilt: %zu\n", runs);
}

Test(compact, wrong_number_fetched)
{
    struct block *b = make_block(5, 1);
    for (size_t given = 0; given <= 6; given++) {
        struct compact_block c;
        struct arena arena = {0};
        struct partial_block p = {0};
        struct buffer out = {0};
        struct tx txs[6] = {b->txs[2], b->txs[3], b->txs[4], b->txs[1], b->txs[1], b->txs[1]};
        struct partial_candidate one = candidate_of(b, 1);
        compact_block_make(&c, b, 9, &arena);
        cr_assert_eq(partial_block_init(&p, &c), PARTIAL_OK);
        partial_block_offer(&p, &one, 1, false);
        cr_assert_eq(partial_block_fill(&p, &out, txs, given), given == 3 ? PARTIAL_OK : PARTIAL_INVALID);
        cr_assert(given == 3 || out.len == 0);
        buffer_clear(&out);
        partial_block_clear(&p);
        arena_clear(&arena);
    }
    block_free(b);
}

/* The same transaction from two places is no collision. */
Test(compact, offered_twice)
{
    struct block *b = make_block(3, 1);
    struct arena arena = {0};
    struct compact_block c;
    struct partial_block p = {0};
    compact_block_make(&c, b, 9, &arena);
    cr_assert_eq(partial_block_init(&p, &c), PARTIAL_OK);
    struct partial_candidate list[2] = {candidate_of(b, 1), candidate_of(b, 2)};
    partial_block_offer(&p, list, 1, false);
    cr_assert(partial_block_has(&p, 1) && p.pool_count == 1);
    partial_block_offer(&p, list, 1, true);
    cr_assert(partial_block_has(&p, 1) && p.pool_count == 1);
    partial_block_clear(&p);
    arena_clear(&arena);
    block_free(b);
}

/* Two transactions with one short id: neither is taken. */
Test(compact, other_candidate_with_the_same_id)
{
    /* With k0 and k1 fixed, these two have the same 48 bits: found by a birthday search over 2^25 counters. */
    static const uint64_t first = 14877616, second = 21563354;
    struct block *b = make_block(3, 1);
    for (int extra = 0; extra < 2; extra++) {
        struct compact_block c;
        struct arena arena = {0};
        struct partial_block p = {0};
        struct partial_candidate list[2] = {candidate_of(b, 1), candidate_of(b, 2)};
        compact_block_make(&c, b, 9, &arena);
        c.k0 = 1;
        c.k1 = 2;
        memset(list[0].wtxid.bytes, 0, 32);
        memset(list[1].wtxid.bytes, 0, 32);
        put_le64(list[0].wtxid.bytes, first);
        put_le64(list[1].wtxid.bytes, second);
        c.short_ids[0] = compact_short_id(&c, &list[0].wtxid);
        cr_assert_eq(c.short_ids[0], compact_short_id(&c, &list[1].wtxid));
        cr_assert_eq(partial_block_init(&p, &c), PARTIAL_OK);
        partial_block_offer(&p, list, 1, extra);
        cr_assert(partial_block_has(&p, 1));
        partial_block_offer(&p, list + 1, 1, true);
        cr_assert(!partial_block_has(&p, 1) && p.pool_count == 0 && p.extra_count == 0, "a collision was taken");
        partial_block_offer(&p, list, 1, true);
        cr_assert(!partial_block_has(&p, 1), "a collided id was taken again");
        partial_block_clear(&p);
        arena_clear(&arena);
    }
    block_free(b);
}

Test(compact, bad_blocks)
{
    struct block *b = make_block(4, 1);
    struct arena arena = {0};
    struct tx null_tx = {.version = 1};
    struct compact_block good, c;
    compact_block_make(&good, b, 9, &arena);
    struct prefilled_tx prefilled[3] = {{0, b->txs[0]}, {0, b->txs[1]}, {0, b->txs[2]}};
    static const struct {
        size_t short_count, prefilled_count;
        uint16_t skips[3];
        enum partial_status status;
    } facts[] = {
        {3, 1, {0}, PARTIAL_OK},
        {3, 1, {3}, PARTIAL_OK},
        {3, 1, {4}, PARTIAL_INVALID}, /* beyond the end */
        {0, 1, {0}, PARTIAL_OK},
        {0, 1, {1}, PARTIAL_INVALID},
        {0, 0, {0}, PARTIAL_INVALID},
        {3, 0, {0}, PARTIAL_OK},
        {1, 3, {0, 1, 0}, PARTIAL_OK},
        {1, 3, {1, 0, 0}, PARTIAL_OK},
        {1, 3, {1, 1, 0}, PARTIAL_INVALID},
        {1, 3, {0, 0, 2}, PARTIAL_INVALID},
        {3, 3, {0, UINT16_MAX, 0}, PARTIAL_INVALID},
        {3, 3, {UINT16_MAX, UINT16_MAX, UINT16_MAX}, PARTIAL_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct partial_block p = {0};
        c = good;
        c.prefilled = prefilled;
        c.short_count = facts[i].short_count;
        c.prefilled_count = facts[i].prefilled_count;
        for (int j = 0; j < 3; j++) prefilled[j].skip = facts[i].skips[j];
        cr_assert_eq(partial_block_init(&p, &c), facts[i].status, "row %zu", i);
        partial_block_clear(&p);
    }
    struct partial_block p = {0};
    c = good;
    c.header.bits = 0;
    cr_assert_eq(partial_block_init(&p, &c), PARTIAL_INVALID, "a null header");
    c = good;
    prefilled[0] = (struct prefilled_tx){.tx = null_tx};
    c.prefilled = prefilled;
    cr_assert_eq(partial_block_init(&p, &c), PARTIAL_INVALID, "a null transaction");
    partial_block_clear(&p);
    cr_assert_eq(partial_block_init(&p, &good), PARTIAL_OK);
    cr_assert_eq(partial_block_init(&p, &good), PARTIAL_INVALID, "begun twice");
    partial_block_clear(&p);
    c = good;
    c.short_ids[2] = c.short_ids[0];
    cr_assert_eq(partial_block_init(&p, &c), PARTIAL_FAILED, "two equal short ids");
    partial_block_clear(&p);
    arena_clear(&arena);
    block_free(b);
}

/* Short ids that all fall into one bucket of the table are an attack on its speed. */
Test(compact, crowded_bucket)
{
    struct block *b = make_block(1, 1);
    uint64_t ids[64];
    for (size_t crowd = 12; crowd <= 13; crowd++) {
        struct compact_block c;
        struct arena arena = {0};
        struct partial_block p = {0};
        compact_block_make(&c, b, 9, &arena);
        c.short_ids = ids;
        c.short_count = 64;
        for (size_t i = 0; i < 64; i++) ids[i] = i < crowd ? i << 20 : (i << 20) + i;
        cr_assert_eq(partial_block_init(&p, &c), crowd > 12 ? PARTIAL_FAILED : PARTIAL_OK);
        partial_block_clear(&p);
        arena_clear(&arena);
    }
    block_free(b);
}

/* The largest block that indexes of 16 bits reach. */
Test(compact, most_transactions)
{
    struct block *b = make_block(1, 1);
    struct arena arena = {0};
    struct random random;
    random_init_u64(&random, 8);
    for (size_t count = 65534; count <= 65535; count++) {
        struct compact_block c;
        struct partial_block p = {0};
        size_t missing;
        compact_block_make(&c, b, 9, &arena);
        c.short_count = count;
        c.short_ids = arena_alloc_array(&arena, count, sizeof(*c.short_ids));
        for (size_t i = 0; i < count; i++) c.short_ids[i] = random_u64(&random) >> 16;
        cr_assert_eq(partial_block_init(&p, &c), count == 65534 ? PARTIAL_OK : PARTIAL_INVALID);
        if (count == 65534) {
            uint16_t *list = partial_block_missing(&p, &missing);
            cr_assert(missing == 65534 && list[0] == 1 && list[65533] == 65534);
        }
        partial_block_clear(&p);
    }
    arena_clear(&arena);
    block_free(b);
}

static enum message_status read_indexes(struct message *m, const uint64_t *differences, size_t count,
                                        struct arena *arena)
{
    struct buffer b = {0};
    memset(buffer_extend(&b, 32), 0, 32);
    buffer_put_compact_size(&b, count);
    for (size_t i = 0; i < count; i++) buffer_put_compact_size(&b, differences[i]);
    enum message_status status = message_read(m, MESSAGE_GETBLOCKTXN, buffer_span(&b), arena);
    buffer_clear(&b);
    return status;
}

/* Indexes are differences, and never exceed 16 bits. */
Test(compact, differences)
{
    struct message m;
    struct arena arena = {0};
    cr_assert_eq(read_indexes(&m, (const uint64_t[]){0, 0, 5, 65527}, 4, &arena), MESSAGE_OK);
    const uint16_t *list = m.as.getblocktxn.indexes;
    cr_assert(list[0] == 0 && list[1] == 1 && list[2] == 7 && list[3] == 65535);
    cr_assert_eq(read_indexes(&m, (const uint64_t[]){65535}, 1, &arena), MESSAGE_OK);
    cr_assert_eq(m.as.getblocktxn.indexes[0], 65535);
    cr_assert_eq(read_indexes(&m, (const uint64_t[]){65536}, 1, &arena), MESSAGE_MALFORMED);
    cr_assert_eq(read_indexes(&m, (const uint64_t[]){65535, 0}, 2, &arena), MESSAGE_MALFORMED);
    cr_assert_eq(read_indexes(&m, (const uint64_t[]){0, 65535}, 2, &arena), MESSAGE_MALFORMED);
    cr_assert_eq(read_indexes(&m, (const uint64_t[]){0, UINT64_MAX}, 2, &arena), MESSAGE_MALFORMED);
    cr_assert_eq(read_indexes(&m, NULL, 0, &arena), MESSAGE_OK);
    arena_clear(&arena);
}

/* The distance to a prefilled transaction has 16 bits. */
Test(compact, prefilled_distance)
{
    struct block *b = make_block(1, 1);
    for (uint64_t skip = UINT16_MAX; skip <= UINT16_MAX + 1; skip++) {
        struct message m;
        struct arena arena = {0};
        struct buffer raw = {0};
        memset(buffer_extend(&raw, HEADER_BYTES + 9), 0, HEADER_BYTES + 9); /* header, nonce, no short ids */
        buffer_put_u8(&raw, 1);
        buffer_put_compact_size(&raw, skip);
        tx_write(&raw, &b->txs[0]);
        cr_assert_eq(message_read(&m, MESSAGE_CMPCTBLOCK, buffer_span(&raw), &arena),
                     skip > UINT16_MAX ? MESSAGE_MALFORMED : MESSAGE_OK);
        buffer_clear(&raw);
        arena_clear(&arena);
    }
    block_free(b);
}
