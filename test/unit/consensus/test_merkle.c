/* Merkle roots, branches and partial trees: against recursive twins, and every way to spoil a proof. */
#include "fixture.h"

#include "consensus/merkle.h"
#include "crypto/sha256.h"

enum { MOST_LEAVES = 70 };

/* The definition: a level's odd last node pairs with itself. COUNT leaves at LEVEL's left edge FROM. */
static void naive_root(uint8_t root[32], const uint8_t *leaves, size_t count)
{
    if (count <= 1) {
        if (count == 1) memcpy(root, leaves, 32);
        if (count == 0) memset(root, 0, 32);
        return;
    }
    size_t half = 1;
    while (half * 2 < count) half *= 2;
    uint8_t pair[64];
    naive_root(pair, leaves, half);
    /* The right part as deep as the left one: pad its root up with copies of itself. */
    naive_root(pair + 32, leaves + 32 * half, count - half);
    size_t depth = 1;
    while (depth < count - half) depth *= 2;
    for (; depth < half; depth *= 2) {
        uint8_t twice[64];
        memcpy(twice, pair + 32, 32);
        memcpy(twice + 32, pair + 32, 32);
        sha256d(pair + 32, twice, 64);
    }
    sha256d(root, pair, 64);
}

static void fill_leaves(uint8_t *leaves, size_t count, uint64_t seed)
{
    struct random r;
    random_init_u64(&r, seed);
    random_bytes(&r, leaves, count * 32);
}

static bool root_is_mutated(const uint8_t *leaves, size_t count, uint8_t root[32])
{
    uint8_t work[MOST_LEAVES * 32];
    bool mutated;
    memcpy(work, leaves, count * 32);
    merkle_root(root, work, count, &mutated);
    return mutated;
}

/* Folds a branch from LEAF up. */
static void fold(uint8_t node[32], const uint8_t *leaf, const struct buffer *branch, size_t index)
{
    memcpy(node, leaf, 32);
    for (size_t at = 0; at < branch->len; at += 32, index /= 2) {
        uint8_t pair[64];
        memcpy(pair + (index % 2) * 32, node, 32);
        memcpy(pair + (1 - index % 2) * 32, branch->data + at, 32);
        sha256d(node, pair, 64);
    }
}

Test(consensus_merkle, roots_and_branches)
{
    size_t branches = 0;
    uint8_t leaves[MOST_LEAVES * 32], root[32], expected[32];
    for (size_t count = 0; count <= MOST_LEAVES; count++) {
        fill_leaves(leaves, count, count);
        naive_root(expected, leaves, count);
        cr_assert_not(root_is_mutated(leaves, count, root), "%zu leaves", count);
        cr_assert_arr_eq(root, expected, 32, "%zu leaves", count);
        for (size_t i = 0; i < count; i++) {
            struct buffer branch = {0};
            merkle_branch(&branch, leaves, count, i);
            fold(root, leaves + 32 * i, &branch, i);
            cr_assert_arr_eq(root, expected, 32, "leaf %zu of %zu", i, count);
            buffer_clear(&branch);
            branches++;
        }
    }
    print_count("merkle roots against a naive twin", MOST_LEAVES + 1);
    print_count("merkle branches", branches);
}

/* CVE-2012-2459: the end of a list repeated to fill a level gives the same root, and is noticed. */
Test(consensus_merkle, repeated_ends)
{
    size_t cases = 0;
    for (size_t count = 1; count < 33; count++)
        for (size_t unit = 1; unit <= count; unit *= 2) {
            if (count % unit != 0 || count / unit % 2 != 1 || count == unit) continue;
            uint8_t leaves[MOST_LEAVES * 32], root[32], again[32];
            fill_leaves(leaves, count, count);
            cr_assert_not(root_is_mutated(leaves, count, root));
            memcpy(leaves + 32 * count, leaves + 32 * (count - unit), 32 * unit);
            cr_assert(root_is_mutated(leaves, count + unit, again), "%zu leaves, last %zu twice", count, unit);
            cr_assert_arr_eq(root, again, 32, "%zu leaves, last %zu twice", count, unit);
            cases++;
        }
    /* Equal neighbours that are no pair are another matter. */
    uint8_t leaves[4 * 32], root[32];
    fill_leaves(leaves, 4, 1);
    memcpy(leaves + 64, leaves + 32, 32);
    cr_assert_not(root_is_mutated(leaves, 4, root));
    print_count("repeated ends (CVE-2012-2459)", cases);
}

static struct block *block_of(size_t tx_count, uint64_t seed)
{
    struct block *b = mem_calloc(1, sizeof(*b));
    b->tx_count = tx_count;
    b->txs = arena_alloc_array(&b->arena, tx_count, sizeof(*b->txs));
    memset(b->txs, 0, tx_count * sizeof(*b->txs));
    struct random r;
    random_init_u64(&r, seed);
    for (size_t i = 0; i < tx_count; i++) random_bytes(&r, b->txs[i].txid.bytes, 32);
    block_merkle_root(b->header.merkle_root, b, NULL);
    return b;
}

/* What BIP37 says of a tree, recursively. */
struct naive_writer {
    const struct block *b;
    const bool *matches;
    struct buffer hashes;
    bool flags[400];
    size_t flag_count;
};

static void naive_write(struct naive_writer *w, size_t from, size_t width)
{
    size_t count = w->b->tx_count, end = from + width < count ? from + width : count;
    bool any = false;
    for (size_t i = from; i < end; i++) any |= w->matches[i];
    w->flags[w->flag_count++] = any;
    if (any && width > 1) {
        naive_write(w, from, width / 2);
        if (from + width / 2 < count) naive_write(w, from + width / 2, width / 2);
        return;
    }
    uint8_t leaves[MOST_LEAVES * 32], node[32];
    for (size_t i = from; i < end; i++) memcpy(leaves + 32 * (i - from), w->b->txs[i].txid.bytes, 32);
    naive_root(node, leaves, end - from);
    size_t depth = 1;
    while (depth < end - from) depth *= 2;
    for (; depth < width; depth *= 2) {
        uint8_t twice[64];
        memcpy(twice, node, 32);
        memcpy(twice + 32, node, 32);
        sha256d(node, twice, 64);
    }
    buffer_put(&w->hashes, node, 32);
}

static void check_against_naive(const struct block *b, const bool *matches, const struct buffer *proof)
{
    struct naive_writer w = {.b = b, .matches = matches};
    size_t width = 1;
    while (width < b->tx_count) width *= 2;
    naive_write(&w, 0, width);
    struct buffer expected = {0};
    block_header_write(buffer_extend(&expected, HEADER_BYTES), &b->header);
    buffer_put_le32(&expected, (uint32_t)b->tx_count);
    buffer_put_u8(&expected, (uint8_t)(w.hashes.len / 32));
    buffer_put_span(&expected, buffer_span(&w.hashes));
    size_t flag_bytes = (w.flag_count + 7) / 8;
    buffer_put_u8(&expected, (uint8_t)flag_bytes);
    uint8_t *flags = buffer_extend(&expected, flag_bytes);
    memset(flags, 0, flag_bytes);
    for (size_t i = 0; i < w.flag_count; i++) flags[i / 8] |= (uint8_t)(w.flags[i] << i % 8);
    cr_assert(span_equal(buffer_span(&expected), buffer_span(proof)));
    buffer_clear(&expected);
    buffer_clear(&w.hashes);
}

static void check_proof(const struct block *b, const bool *matches, struct span proof)
{
    struct merkle_block m;
    struct arena arena = {0};
    cr_assert(merkle_block_read(&m, proof, &arena));
    cr_assert_eq(m.tx_total, b->tx_count);
    cr_assert_arr_eq(m.root, b->header.merkle_root, 32);
    cr_assert_arr_eq(m.header.merkle_root, b->header.merkle_root, 32);
    size_t found = 0;
    for (size_t i = 0; i < b->tx_count; i++) {
        if (!matches[i]) continue;
        cr_assert_lt(found, m.matched_count);
        cr_assert_eq(m.positions[found], i);
        cr_assert(txid_equal(&m.matched[found], &b->txs[i].txid));
        found++;
    }
    cr_assert_eq(found, m.matched_count);
    arena_clear(&arena);
}

/* Any bit of a proof changed: refused, or another root, or another claim; cut short: refused. */
static size_t spoil_proof(const struct block *b, struct buffer *proof, struct random *r)
{
    size_t refused = 0;
    struct arena arena = {0};
    struct merkle_block m;
    for (int i = 0; i < 40; i++) {
        size_t bit = (size_t)random_below(r, (proof->len - HEADER_BYTES) * 8) + HEADER_BYTES * 8;
        proof->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool ok = merkle_block_read(&m, buffer_span(proof), &arena);
        /* Padding bits of the last flag byte are ignored, as is a total that keeps the tree's shape. */
        if (ok && memcmp(m.root, b->header.merkle_root, 32) == 0)
            for (size_t j = 0; j < m.matched_count; j++)
                cr_assert(m.positions[j] < b->tx_count && txid_equal(&m.matched[j], &b->txs[m.positions[j]].txid));
        else
            refused++;
        proof->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        arena_reset(&arena);
    }
    for (size_t len = 0; len < proof->len; len++) {
        cr_assert_not(merkle_block_read(&m, span_of(proof->data, len), &arena), "cut to %zu", len);
        refused++;
    }
    arena_clear(&arena);
    return refused;
}

Test(consensus_merkle, partial_trees)
{
    struct random r;
    random_init_u64(&r, 3);
    size_t trees = 0, refused = 0;
    for (size_t count = 1; count <= MOST_LEAVES; count++)
        for (unsigned sparse = 1; sparse <= 64; sparse *= 4) {
            struct block *b = block_of(count, count * 100 + sparse);
            bool matches[MOST_LEAVES];
            for (size_t i = 0; i < count; i++) matches[i] = random_below(&r, sparse) == 0;
            struct buffer proof = {0};
            merkle_block_write(&proof, b, matches);
            check_proof(b, matches, buffer_span(&proof));
            check_against_naive(b, matches, &proof);
            refused += spoil_proof(b, &proof, &r);
            buffer_clear(&proof);
            block_free(b);
            trees++;
        }
    print_count("partial trees there and back", trees);
    print_count("spoilt proofs refused", refused);
}

/* A hand-made proof: total, hashes (given by their first byte) and flags. */
static bool read_made(uint32_t total, const char *hashes, const uint8_t *flags, size_t flag_bytes)
{
    struct buffer proof = {0};
    memset(buffer_extend(&proof, HEADER_BYTES), 0, HEADER_BYTES);
    buffer_put_le32(&proof, total);
    buffer_put_u8(&proof, (uint8_t)strlen(hashes));
    for (; *hashes; hashes++) memset(buffer_extend(&proof, 32), *hashes, 32);
    buffer_put_u8(&proof, (uint8_t)flag_bytes);
    buffer_put(&proof, flags, flag_bytes);
    struct merkle_block m;
    struct arena arena = {0};
    bool ok = merkle_block_read(&m, buffer_span(&proof), &arena);
    arena_clear(&arena);
    buffer_clear(&proof);
    return ok;
}

Test(consensus_merkle, proofs_that_make_no_sense)
{
    static const struct {
        uint32_t total;
        const char *hashes;
        uint8_t flags[2];
        size_t flag_bytes;
        bool valid;
    } rows[] = {
        {1, "a", {1}, 1, true},           {1, "a", {0}, 1, true}, /* proves nothing, but is a tree */
        {0, "", {0}, 1, false},                                   /* no transactions */
        {0, "", {0}, 0, false},           {2, "ab", {7}, 1, true},     {2, "aa", {7}, 1, false}, /* equal branches */
        {2, "abc", {7}, 1, false},                                     /* more hashes than transactions */
        {3, "abc", {7}, 1, true},         {3, "ab", {0}, 1, false},    /* a hash left over */
        {2, "a", {7}, 1, false},                                       /* too few hashes */
        {2, "ab", {7, 0}, 2, false},                                   /* flags left over */
        {2, "ab", {7}, 0, false},                                      /* no flags */
        {2, "ab", {0xff}, 1, true},                                    /* padding is not looked at */
        {16666, "a", {0}, 1, true},       {16667, "a", {0}, 1, false}, /* more than a block can hold */
        {0xffffffff, "a", {0}, 1, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_assert_eq(read_made(rows[i].total, rows[i].hashes, rows[i].flags, rows[i].flag_bytes), rows[i].valid,
                     "row %zu", i);
    print_count("hand-made proofs", ARRAY_LEN(rows));
}

Test(consensus_merkle, real_proof)
{
    if (!data_present(CAIRN_TEST_DATA, "merkleblock")) return;
    struct buffer raw = data_read(CAIRN_TEST_DATA, "blocks/real/mainnet-300025.blk.zst");
    struct buffer proof = data_read(CAIRN_TEST_DATA, "vectors/other/merkleblock-mainnet-300025.bin");
    struct block *b = block_parse(buffer_span(&raw));
    cr_assert(b);
    struct merkle_block m;
    struct arena arena = {0};
    cr_assert(merkle_block_read(&m, buffer_span(&proof), &arena));
    cr_assert_eq(m.tx_total, b->tx_count);
    cr_assert_gt(m.matched_count, 0u);
    cr_assert_arr_eq(m.root, m.header.merkle_root, 32);
    struct block_hash hash;
    block_header_hash(&hash, &m.header);
    cr_assert(block_hash_equal(&hash, &b->hash));
    bool *matches = mem_calloc(b->tx_count, sizeof(*matches));
    for (size_t i = 0; i < m.matched_count; i++) {
        cr_assert(txid_equal(&m.matched[i], &b->txs[m.positions[i]].txid));
        matches[m.positions[i]] = true;
    }
    struct buffer again = {0};
    merkle_block_write(&again, b, matches);
    cr_assert(span_equal(buffer_span(&again), buffer_span(&proof)), "written anew it differs");
    print_count("transactions proved by the real merkleblock", m.matched_count);
    free(matches);
    arena_clear(&arena);
    buffer_clear(&again);
    block_free(b);
    buffer_clear(&raw);
    buffer_clear(&proof);
}
