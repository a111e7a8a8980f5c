/* Bloom filters of peers (BIP37): bits, what matches, filtered announcements and blocks. */
#include "consensus/merkle.h"
#include "pool_kit.h"

/* A filter of SIZE zero bytes. */
static struct bloom make(size_t size, uint32_t functions, uint32_t tweak, uint8_t flags)
{
    uint8_t zeroes[64] = {0};
    struct bloom b = {0};
    struct filterload_message m = {
        .filter = span_of(zeroes, size), .functions = functions, .tweak = tweak, .flags = flags};
    bloom_load(&b, &m);
    return b;
}

static void put_hex(struct bloom *b, const char *hex)
{
    uint8_t bytes[20];
    cr_assert(hex_decode(bytes, sizeof(bytes), hex));
    bloom_put(b, span_of(bytes, sizeof(bytes)));
}

static bool has_hex(const struct bloom *b, const char *hex)
{
    uint8_t bytes[20];
    cr_assert(hex_decode(bytes, sizeof(bytes), hex));
    return bloom_has(b, span_of(bytes, sizeof(bytes)));
}

Test(bloom, the_bits_of_all_other_programs)
{
    static const struct {
        uint32_t tweak;
        uint8_t bits[3];
    } rows[] = {{0, {0x61, 0x4e, 0x9b}}, {UINT32_C(2147483649), {0xce, 0x42, 0x99}}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bloom b = make(3, 5, rows[i].tweak, BLOOM_UPDATE_ALL);
        put_hex(&b, "99108ad8ed9bb6274d3980bab5a85c048f0950c8");
        cr_assert(has_hex(&b, "99108ad8ed9bb6274d3980bab5a85c048f0950c8"));
        cr_assert_not(has_hex(&b, "19108ad8ed9bb6274d3980bab5a85c048f0950c8"));
        put_hex(&b, "b5a2c786d9ef4658287ced5914b37a1b4aa32eee");
        put_hex(&b, "b9300670b4c5366e95b2699e8b18bc75e5f729c5");
        cr_assert_arr_eq(b.bits, rows[i].bits, 3, "%zu", i);
        bloom_clear(&b);
    }
}

Test(bloom, one_without_bits_matches_all_and_takes_nothing)
{
    struct bloom b = make(0, 5, 0, BLOOM_UPDATE_ALL);
    put_hex(&b, "99108ad8ed9bb6274d3980bab5a85c048f0950c8");
    cr_assert(has_hex(&b, "19108ad8ed9bb6274d3980bab5a85c048f0950c8"));
    cr_assert(bloom_match(&b, &(struct tx){0}));
    bloom_clear(&b);
}

/* ---- transactions ---- */

/* Pays to SCRIPT and spends an outpoint with a push of "sig". */
struct sample {
    struct tx tx, spender;
    struct tx_in in, spent;
    struct tx_out out;
};

static void sample(struct sample *s, struct span script)
{
    *s = (struct sample){0};
    s->in = (struct tx_in){.prevout = {.txid = {{9}}, .index = 3}, .script_sig = span_of("\3sig", 4)};
    s->out = (struct tx_out){.value = 5, .script_pubkey = script};
    s->tx = (struct tx){.version = 2, .in = &s->in, .in_count = 1, .out = &s->out, .out_count = 1};
    tx_hash(&s->tx);
    s->spent = (struct tx_in){.prevout = {.txid = s->tx.txid, .index = 0}};
    s->spender = (struct tx){.version = 2, .in = &s->spent, .in_count = 1};
    tx_hash(&s->spender);
}

static bool matches(struct bloom *b, const struct tx *tx)
{
    return bloom_match(b, tx);
}

Test(bloom, by_id_output_outpoint_and_input)
{
    struct sample s;
    uint8_t outpoint[36] = {9, [32] = 3};
    sample(&s, span_of("\x51\4data", 6));
    const struct span things[] = {span_of(s.tx.txid.bytes, 32), span_of("data", 4), span_of(outpoint, 36),
                                  span_of("sig", 3)};
    for (size_t i = 0; i < ARRAY_LEN(things); i++) {
        struct bloom b = make(64, 10, 0, BLOOM_UPDATE_NONE);
        cr_assert_not(matches(&b, &s.tx));
        bloom_put(&b, things[i]);
        cr_assert(matches(&b, &s.tx), "%zu", i);
        cr_assert_not(matches(&b, &s.spender));
        bloom_clear(&b);
    }
}

Test(bloom, what_matched_is_followed_where_the_filter_says_so)
{
    /* P2PK, and a hash that is paid to. */
    uint8_t key[35] = {0x21, 0x02, [34] = 0xac}, hash[25] = {0x76, 0xa9, 0x14, [23] = 0x88, [24] = 0xac};
    struct span scripts[] = {span_of(key, sizeof(key)), span_of(hash, sizeof(hash))};
    static const uint8_t flags[] = {BLOOM_UPDATE_NONE, BLOOM_UPDATE_ALL, BLOOM_UPDATE_PUBKEY_ONLY};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        for (size_t k = 0; k < ARRAY_LEN(scripts); k++) {
            struct sample s;
            struct bloom b = make(64, 10, 0, flags[i]);
            sample(&s, scripts[k]);
            bloom_put(&b, k == 0 ? span_of(key + 1, 33) : span_of(hash + 3, 20));
            cr_assert(matches(&b, &s.tx));
            bool follows = flags[i] == BLOOM_UPDATE_ALL || (flags[i] == BLOOM_UPDATE_PUBKEY_ONLY && k == 0);
            cr_assert_eq(matches(&b, &s.spender), follows, "%zu %zu", i, k);
            bloom_clear(&b);
        }
}

Test(bloom, an_output_is_followed_also_where_the_id_matched)
{
    struct sample s;
    sample(&s, span_of("\4data", 5));
    struct bloom b = make(64, 10, 0, BLOOM_UPDATE_ALL);
    bloom_put(&b, span_of(s.tx.txid.bytes, 32));
    bloom_put(&b, span_of("data", 4));
    cr_assert(matches(&b, &s.tx));
    cr_assert(matches(&b, &s.spender));
    bloom_clear(&b);
}

/* ---- peers ---- */

static void load(struct pool_kit *k, peer_id id, const uint8_t *wanted)
{
    struct bloom b = make(64, 10, 0, BLOOM_UPDATE_NONE);
    if (wanted) bloom_put(&b, span_of(wanted, 32));
    struct message m = {.type = MESSAGE_FILTERLOAD};
    m.as.filterload = (struct filterload_message){.filter = span_of(b.bits, b.size), .functions = 10};
    harness_say(&k->h, id, &m);
    bloom_clear(&b);
}

static void kit_with_filters(struct pool_kit *k)
{
    memset(k, 0, sizeof(*k));
    harness_prepare(&k->h);
    k->h.options.services |= NODE_BLOOM;
    pool_open(k);
}

Test(bloom, only_what_they_want_is_told)
{
    struct pool_kit k;
    struct message m;
    kit_with_filters(&k);
    const struct tx *wanted = coin_tx(&k, 0, 1000), *other = coin_tx(&k, 1, 1000), *added = coin_tx(&k, 2, 1000);
    peer_id id = harness_peer(&k.h, "1.2.3.4:5000", CONN_INBOUND);
    harness_ticks(&k.h, 1);
    load(&k, id, wanted->txid.bytes);
    harness_say(&k.h, id,
                &(struct message){.type = MESSAGE_FILTERADD, .as.filteradd.element = span_of(added->txid.bytes, 32)});
    send_tx(&k, wanted);
    send_tx(&k, other);
    send_tx(&k, added);
    harness_wait_s(&k.h, 60);
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 2);
    for (size_t i = 0; i < 2; i++) cr_assert(memcmp(m.as.inv.items[i].hash, other->wtxid.bytes, 32) != 0);
    harness_say_empty(&k.h, id, MESSAGE_MEMPOOL);
    harness_wait_s(&k.h, 60);
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m), "the pool is filtered, too");
    cr_assert_eq(m.as.inv.count, 2);
    harness_say_empty(&k.h, id, MESSAGE_FILTERCLEAR);
    harness_say_empty(&k.h, id, MESSAGE_MEMPOOL);
    harness_wait_s(&k.h, 60);
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 3);
    pool_kit_free(&k);
}

Test(bloom, filtered_blocks)
{
    struct pool_kit k;
    struct message m;
    struct merkle_block tree;
    struct arena arena = {0};
    kit_with_filters(&k);
    const struct tx *wanted = coin_tx(&k, 0, 1000), *other = coin_tx(&k, 1, 1000);
    peer_id id = harness_peer(&k.h, "1.2.3.4:5000", CONN_INBOUND);
    struct draft d = draft_on(&chain_tip(k.h.kit.chain)->header, &k.h.kit.params, 0);
    const struct tx *txs[] = {other, wanted};
    for (size_t i = 0; i < 2; i++) {
        size_t start = d.txs.len;
        buffer_put_span(&d.txs, txs[i]->raw);
        draft_tx_end(&d, start);
    }
    struct block *b = draft_mine(&d, &k.h.kit.params);
    harness_feed(&k.h, b);
    harness_ticks(&k.h, 1);
    harness_forget(&k.h, id);
    say_getdata(&k.h, id, INV_FILTERED_BLOCK, &b->hash);
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_MERKLEBLOCK), 0, "without a filter there is no answer");
    load(&k, id, wanted->txid.bytes);
    say_getdata(&k.h, id, INV_FILTERED_BLOCK, &b->hash);
    cr_assert(harness_answer(&k.h, id, MESSAGE_MERKLEBLOCK, &m));
    cr_assert(merkle_block_read(&tree, buffer_span(&k.h.last_payload), &arena));
    cr_assert_eq(tree.matched_count, 1);
    cr_assert(txid_equal(&tree.matched[0], &wanted->txid));
    cr_assert_eq(tree.positions[0], 2);
    cr_assert_arr_eq(tree.root, b->header.merkle_root, 32);
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_TX), 1);
    cr_assert(harness_answer(&k.h, id, MESSAGE_TX, &m));
    cr_assert(span_equal(m.as.raw.raw, wanted->raw));
    /* One that matches nothing is the header and its root. */
    load(&k, id, NULL);
    say_getdata(&k.h, id, INV_FILTERED_BLOCK, &b->hash);
    cr_assert(harness_answer(&k.h, id, MESSAGE_MERKLEBLOCK, &m));
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_TX), 0);
    arena_clear(&arena);
    block_free(b);
    pool_kit_free(&k);
}
