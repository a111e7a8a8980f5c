/* Importing from files that may hold anything: the good blocks come through, whatever is around them. */
#include "fixture.h"

static struct import_progress import_one(struct fixture *f, struct span file)
{
    return import_all(f, &file, 1);
}

Test(import, whole_file)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 130, 1);
    struct buffer file = line_file(&l);
    fixture_new(&f, CHAIN_REGTEST);
    struct import_progress p = import_one(&f, buffer_span(&file));
    expect_at(&f, &l, 129);
    cr_assert_eq(p.blocks, 130);
    cr_assert_eq(p.accepted, 129);
    cr_assert(p.rejected == 0 && p.garbage == 0 && p.waiting == 0);
    cr_assert_eq(p.bytes_done, p.bytes_total);
    p = import_one(&f, buffer_span(&file)); /* again: nothing new */
    cr_assert_eq(p.accepted, 0);
    expect_at(&f, &l, 129);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}

/* Cut anywhere: every block before the cut is there, and a whole file afterwards brings the rest. */
Test(import, cut_at_every_offset, .timeout = 300)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 6, 1);
    struct buffer file = line_file(&l), first = {0};
    line_put(&l, 0, &first);
    for (size_t cut = 0; cut < file.len; cut++) {
        size_t whole = 0, end = 0;
        while (end + 8 + l.blocks[whole]->raw.len <= cut) end += 8 + l.blocks[whole++]->raw.len;
        fixture_new(&f, CHAIN_REGTEST);
        import_one(&f, span_of(file.data, cut));
        expect_at(&f, &l, whole ? whole - 1 : 0);
        fixture_free(&f);
        fixture_new(&f, CHAIN_REGTEST);
        struct span both[] = {span_of(file.data, cut), span_from(buffer_span(&file), end)};
        import_all(&f, both, 2);
        expect_at(&f, &l, 5);
        fixture_free(&f);
    }
    buffer_clear(&file);
    buffer_clear(&first);
    line_clear(&l);
}

/* One bit wrong somewhere: only the block that it hit is lost. Another file has that one. */
Test(import, flipped_bits, .timeout = 600)
{
    static struct fixture f;
    static struct line l;
    struct random random;
    random_init_u64(&random, 1);
    line_make(&l, 10, 1);
    struct buffer file = line_file(&l), hit = {0};
    size_t victim = 0, end = 8 + l.blocks[0]->raw.len;
    for (size_t at = 0; at < file.len; at++) {
        if (at == end) end += 8 + l.blocks[++victim]->raw.len;
        if (victim == 9) break; /* a twin of the last block would win as the first seen */
        unsigned bit = (unsigned)random_below(&random, 8);
        file.data[at] ^= (uint8_t)(1u << bit);
        hit.len = 0;
        line_put(&l, victim, &hit);
        struct span both[] = {buffer_span(&file), buffer_span(&hit)};
        fixture_new(&f, CHAIN_REGTEST);
        import_all(&f, both, 2);
        cr_assert_eq(fixture_height(&f), 9, "byte %zu bit %u: height %d", at, bit, fixture_height(&f));
        expect_at(&f, &l, 9);
        fixture_free(&f);
        file.data[at] ^= (uint8_t)(1u << bit);
    }
    buffer_clear(&file);
    buffer_clear(&hit);
    line_clear(&l);
}

/* A record's length says too much, by any number of bytes: the blocks that it swallows are found all the same. */
Test(import, lengths_that_lie, .timeout = 300)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 8, 1);
    struct buffer file = line_file(&l), hit = {0};
    line_put(&l, 2, &hit);
    size_t at = 16 + l.blocks[0]->raw.len + l.blocks[1]->raw.len;
    uint32_t len = (uint32_t)l.blocks[2]->raw.len;
    const uint32_t huge[] = {0, 1, 79, 80, 3999999, 4000000, 4000001, 0x7fffffff, 0xffffffff};
    for (uint32_t i = 0; i < 600 + sizeof(huge) / sizeof(huge[0]); i++) {
        uint32_t lie = i < 600 ? len - 100 + i : huge[i - 600];
        put_le32(file.data + at + 4, lie);
        fixture_new(&f, CHAIN_REGTEST);
        struct span both[] = {buffer_span(&file), buffer_span(&hit)};
        import_all(&f, both, 2);
        cr_assert_eq(fixture_height(&f), 7, "length %u in place of %u: height %d", lie, len, fixture_height(&f));
        fixture_free(&f);
    }
    buffer_clear(&file);
    buffer_clear(&hit);
    line_clear(&l);
}

/* Bytes of many sorts between the records, some of them looking like the start of one. */
Test(import, garbage_between_records, .timeout = 300)
{
    static struct fixture f;
    static struct line l;
    struct random random;
    random_init_u64(&random, 2);
    line_make(&l, 30, 1);
    const uint8_t *magic = chain_params_get(CHAIN_REGTEST)->magic;
    for (int round = 0; round < 60; round++) {
        struct buffer file = {0};
        for (size_t i = 0; i < l.count; i++) {
            uint64_t kind = random_below(&random, 7);
            size_t len = (size_t)random_below(&random, 300);
            if (kind == 0) random_bytes(&random, buffer_extend(&file, len), len);
            if (kind == 1) memset(buffer_extend(&file, len), 0, len);
            if (kind == 2) buffer_put(&file, magic, 1 + len % 3);
            if (kind == 3) buffer_put(&file, magic, 4);
            if (kind == 4) buffer_put(&file, "\xfa\xbf\xb5\xda\xff\xff\xff\xff", 8);
            if (kind == 5) {
                buffer_put(&file, magic, 4);
                buffer_put_le32(&file, (uint32_t)(80 + len));
            }
            line_put(&l, i, &file);
        }
        fixture_new(&f, CHAIN_REGTEST);
        import_one(&f, buffer_span(&file));
        cr_assert_eq(fixture_height(&f), 29, "round %d: height %d", round, fixture_height(&f));
        fixture_free(&f);
        buffer_clear(&file);
    }
    line_clear(&l);
}

Test(import, zeroes_are_no_damage)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 3, 1);
    struct buffer file = line_file(&l);
    memset(buffer_extend(&file, 100000), 0, 100000);
    fixture_new(&f, CHAIN_REGTEST);
    struct import_progress p = import_one(&f, buffer_span(&file));
    cr_assert_eq(p.garbage, 0);
    expect_at(&f, &l, 2);
    fixture_free(&f);
    buffer_clear(&file);
    line_clear(&l);
}

Test(import, nothing_but_noise)
{
    static struct fixture f;
    struct random random;
    struct buffer file = {0};
    random_init_u64(&random, 3);
    random_bytes(&random, buffer_extend(&file, 9 << 20), 9 << 20);
    fixture_new(&f, CHAIN_REGTEST);
    struct import_progress p = import_one(&f, buffer_span(&file));
    cr_assert_eq(p.blocks, 0);
    cr_assert_eq(fixture_height(&f), 0);
    p = import_one(&f, span_of(NULL, 0));
    cr_assert_eq(p.blocks, 0);
    buffer_clear(&file);
    fixture_free(&f);
}

/* Starts of records as far as the eye reaches, each claiming all that follows: the work must stay in proportion. */
Test(import, overlapping_claims, .timeout = 60)
{
    static struct fixture f;
    const uint8_t *magic = chain_params_get(CHAIN_REGTEST)->magic;
    struct buffer file = {0};
    for (int i = 0; i < 1 << 20; i++) {
        buffer_put(&file, magic, 4);
        buffer_put_le32(&file, 3900000);
    }
    fixture_new(&f, CHAIN_REGTEST);
    import_one(&f, buffer_span(&file));
    cr_assert_eq(fixture_height(&f), 0);
    buffer_clear(&file);
    fixture_free(&f);
}

/* In any order, over two files: a block waits for its parent. */
Test(import, any_order)
{
    static struct fixture f;
    static struct line l, side;
    struct random random;
    random_init_u64(&random, 4);
    line_make(&l, 120, 1);
    line_make(&side, 40, 2);
    for (int round = 0; round < 10; round++) {
        struct buffer files[2] = {{0}, {0}};
        size_t order[119];
        for (size_t i = 0; i < 119; i++) order[i] = i + 1;
        for (size_t i = 118; i > 0 && round; i--) {
            size_t k = (size_t)random_below(&random, i + 1), swapped = order[k];
            order[k] = order[i];
            order[i] = swapped;
        }
        for (size_t i = 0; i < 119; i++) line_put(&l, round ? order[i] : 119 - i, &files[random_below(&random, 2)]);
        for (size_t i = 40; i-- > 1;) line_put(&side, i, &files[random_below(&random, 2)]);
        struct span both[] = {buffer_span(&files[0]), buffer_span(&files[1])};
        fixture_new(&f, CHAIN_REGTEST);
        struct import_progress p = import_all(&f, both, 2);
        expect_at(&f, &l, 119);
        cr_assert_eq(p.waiting, 0);
        cr_assert_eq(p.accepted, 119 + 39);
        fixture_free(&f);
        buffer_clear(&files[0]);
        buffer_clear(&files[1]);
    }
    line_clear(&l);
    line_clear(&side);
}

Test(import, missing_parent)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 10, 1);
    struct buffer file = {0};
    for (size_t i = 0; i < 10; i++)
        if (i != 4) line_put(&l, i, &file);
    fixture_new(&f, CHAIN_REGTEST);
    struct import_progress p = import_one(&f, buffer_span(&file));
    expect_at(&f, &l, 3);
    cr_assert_eq(p.waiting, 5);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}

/* A block that breaks a rule is refused and what builds on it with it; others go on. */
Test(import, bad_block_in_the_file)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 10, 1);
    struct buffer file = {0};
    for (size_t i = 0; i < 5; i++) line_put(&l, i, &file);
    struct draft d = draft_on(&l.nodes[4], chain_params_get(CHAIN_REGTEST), 1);
    d.coinbase_value++;
    struct block *greedy = draft_mine(&d, chain_params_get(CHAIN_REGTEST));
    struct block *keep = l.blocks[5];
    l.blocks[5] = greedy;
    line_put(&l, 5, &file);
    l.blocks[5] = keep;
    struct draft wrong = draft_on(&l.nodes[4], chain_params_get(CHAIN_REGTEST), 2);
    wrong.wrong_root = true;
    struct block *mixed = draft_mine(&wrong, chain_params_get(CHAIN_REGTEST));
    l.blocks[5] = mixed;
    line_put(&l, 5, &file);
    l.blocks[5] = keep;
    for (size_t i = 5; i < 10; i++) line_put(&l, i, &file);
    fixture_new(&f, CHAIN_REGTEST);
    struct import_progress p = import_one(&f, buffer_span(&file));
    expect_at(&f, &l, 9);
    cr_assert_eq(p.rejected, 1); /* the merkle root; the greedy one is found out on connecting */
    cr_assert(chain_find(f.node->chain, &greedy->hash)->status & BLOCK_FAILED);
    cr_assert_null(chain_find(f.node->chain, &mixed->hash));
    block_free(greedy);
    block_free(mixed);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}

/* A source that fails half-way is left behind; the next one is read. */
Test(import, source_that_fails)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 20, 1);
    struct buffer file = line_file(&l);
    fixture_new(&f, CHAIN_REGTEST);
    struct bytes_source bad = {.bytes = buffer_span(&file), .fail_at = 100}, good = {.bytes = buffer_span(&file)};
    struct import *i = import_new(f.node);
    bytes_source_add(i, &bad);
    bytes_source_add(i, &good);
    struct error e = {0};
    for (bool done = false; !done;) cr_assert_eq(import_step(i, &done, &e), RESULT_OK, "%s", e.text);
    import_free(i);
    cr_assert(bad.closed && good.closed);
    expect_at(&f, &l, 19);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}

/* Given up in the middle: nothing leaks, and what was accepted stays. */
Test(import, abandoned)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 120, 1);
    struct buffer file = line_file(&l);
    fixture_new(&f, CHAIN_REGTEST);
    thread_pool_open(&f.node->chain->ports.workers, 3);
    struct workers pool = f.node->chain->ports.workers;
    struct bytes_source s = {.bytes = buffer_span(&file)};
    struct import *i = import_new(f.node);
    bytes_source_add(i, &s);
    bool done;
    struct error e = {0};
    for (int k = 0; k < 10; k++) cr_assert_eq(import_step(i, &done, &e), RESULT_OK);
    import_free(i);
    cr_assert(s.closed);
    expect_at(&f, &l, 9);
    fixture_free(&f);
    thread_pool_close(&pool);
    buffer_clear(&file);
    line_clear(&l);
}

/* ---- our own files ---- */

static void lose_databases(struct fixture *f)
{
    fixture_close(f);
    memory_store_close(&f->kit.ports.index);
    memory_store_close(&f->kit.ports.coins);
    memory_store_open(&f->kit.ports.index, &f->kit.fault);
    memory_store_open(&f->kit.ports.coins, &f->kit.fault);
    f->options.chain.reindex = true;
    fixture_open(f);
}

static void end_reindex(struct fixture *f, const struct line *l, size_t height)
{
    expect_at(f, l, height);
    char hash[65];
    kit_utxo_hash(&f->kit, hash);
    f->options.chain.reindex = false;
    fixture_close(f);
    fixture_open(f);
    expect_at(f, l, height);
    kit_expect_hash(&f->kit, hash);
    bool ok;
    struct error e = {0};
    cr_assert_eq(chain_verify(f->node->chain, 4, 0, &ok, &e), RESULT_OK);
    cr_assert(ok);
}

/* Blocks of two branches over many files; the databases are made again without a block written twice. */
Test(import, reindex)
{
    static struct fixture f;
    static struct line l, side;
    line_make(&l, 120, 1);
    line_make(&side, 60, 2);
    fixture_prepare(&f, CHAIN_REGTEST);
    f.options.chain.max_file_bytes = 4096;
    fixture_open(&f);
    struct buffer first = line_file(&side), second = line_file(&l);
    struct span both[] = {buffer_span(&first), buffer_span(&second)};
    import_all(&f, both, 2);
    expect_at(&f, &l, 119);
    char hash[65];
    kit_utxo_hash(&f.kit, hash);
    uint64_t bytes = chain_disk_bytes(f.node->chain);
    lose_databases(&f);
    struct import_progress p = import_own(&f);
    cr_assert_eq(p.accepted + (p.blocks - p.accepted), 120 + 59);
    cr_assert_eq(chain_disk_bytes(f.node->chain), bytes);
    kit_expect_hash(&f.kit, hash);
    end_reindex(&f, &l, 119);
    buffer_clear(&first);
    buffer_clear(&second);
    fixture_free(&f);
    line_clear(&l);
    line_clear(&side);
}

/* A block of ours is damaged: the reindex stops before it, and gets on once somebody else brings that block. */
Test(import, reindex_over_damage)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 120, 1);
    struct buffer file = line_file(&l), hit = {0};
    fixture_new(&f, CHAIN_REGTEST);
    import_one(&f, buffer_span(&file));
    const struct block_node *n = chain_at(f.node->chain, 50);
    const struct flat_store *s = &f.kit.ports.files;
    uint8_t wrong = 0x99;
    cr_assert_eq(s->ops->write(s->ctx, FLAT_BLOCKS, n->file, n->data_pos + n->data_len - 7, span_of(&wrong, 1), NULL),
                 RESULT_OK);
    lose_databases(&f);
    import_own(&f);
    expect_at(&f, &l, 49);
    line_put(&l, 50, &hit);
    struct bytes_source brought = {.bytes = buffer_span(&hit)};
    struct import *i = import_new(f.node);
    import_add_own_files(i);
    bytes_source_add(i, &brought);
    struct error e = {0};
    for (bool done = false; !done;) cr_assert_eq(import_step(i, &done, &e), RESULT_OK, "%s", e.text);
    import_free(i);
    end_reindex(&f, &l, 119);
    buffer_clear(&file);
    buffer_clear(&hit);
    fixture_free(&f);
    line_clear(&l);
}

/* The disk dies in the middle of a reindex: it is still one when the store is opened again. */
Test(import, reindex_cut_short)
{
    static struct fixture f;
    static struct line l;
    line_make(&l, 120, 1);
    struct buffer file = line_file(&l);
    fixture_new(&f, CHAIN_REGTEST);
    import_one(&f, buffer_span(&file));
    lose_databases(&f);
    struct import *i = import_new(f.node);
    import_add_own_files(i);
    bool done;
    struct error e = {0};
    for (int k = 0; k < 60; k++) cr_assert_eq(import_step(i, &done, &e), RESULT_OK);
    cr_assert_eq(chain_flush(f.node->chain, true, &e), RESULT_OK);
    import_free(i);
    node_free(f.node); /* without a word */
    f.options.chain.reindex = false;
    fixture_open(&f);
    cr_assert(f.node->chain->reindexing);
    import_own(&f);
    cr_assert_not(f.node->chain->reindexing);
    end_reindex(&f, &l, 119);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}
