/* Blocks handed in twice, records longer than their blocks, and files that are still being read. */
#include "fixture.h"

/* B with a witness item on the first input of its last transaction: another wtxid, but the same txids and hash. */
static struct block *with_witness(const struct block *b)
{
    static const uint8_t junk[] = {1};
    struct span item = span_of(junk, 1);
    struct buffer raw = {0};
    block_header_write(buffer_extend(&raw, HEADER_BYTES), &b->header);
    buffer_put_compact_size(&raw, b->tx_count);
    for (size_t i = 0; i + 1 < b->tx_count; i++) tx_write(&raw, &b->txs[i]);
    struct tx last = b->txs[b->tx_count - 1];
    struct tx_in in = last.in[0];
    in.witness = (struct witness){.items = &item, .count = 1};
    last.in = &in;
    tx_write(&raw, &last);
    struct block *out = block_parse_take(raw.data, raw.len);
    cr_assert(out && block_hash_equal(&out->hash, &b->hash));
    return out;
}

/* A block is stored but not connected yet, and somebody hands in a mutilated twin of it: the stored one is taken. */
Test(review_node, twin_of_a_stored_block)
{
    static struct fixture f;
    static struct line l;
    struct error e = {0};
    struct verdict v = {0};
    struct block_node *n;
    bool is_new;
    line_make(&l, 110, 1);
    struct buffer file = line_file(&l);
    fixture_new(&f, CHAIN_REGTEST);
    import_all(&f, &(struct span){file.data, file.len}, 1);
    struct draft d = draft_on(&l.nodes[109], &f.kit.params, 9);
    struct outpoint at = outpoint_of(l.blocks[9], 0, 0);
    draft_move(&d, &at, 5);
    struct block *good = draft_mine(&d, &f.kit.params), *twin = with_witness(good);
    int64_t now_s = node_time_s(f.node);
    cr_assert_eq(chain_accept_block(f.node->chain, good, now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e),
                 RESULT_OK);
    cr_assert(is_new && verdict_ok(&v), "%s", v.reason);
    cr_assert_eq(node_submit_block(f.node, twin, &is_new, &v, &e), RESULT_OK);
    cr_assert(verdict_ok(&v) && !is_new, "%s", v.reason);
    cr_assert_eq(fixture_height(&f), 110);
    cr_assert_eq(chain_tip(f.node->chain), n);
    block_free(good);
    block_free(twin);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}

/* Record I with LEN more bytes behind the block, which its length counts. */
static void put_longer(const struct line *l, size_t i, struct buffer *out, size_t len)
{
    size_t at = out->len;
    line_put(l, i, out);
    memset(buffer_extend(out, len), 0x55, len);
    put_le32(out->data + at + 4, (uint32_t)(l->blocks[i]->raw.len + len));
}

/* The bytes behind a block do not harm it; and a block of ours in such a record can be read back. */
Test(review_node, records_longer_than_their_blocks)
{
    static struct line l;
    line_make(&l, 40, 1);
    struct buffer file = {0};
    for (size_t i = 0; i < l.count; i++) put_longer(&l, i, &file, i % 7);
    for (int own = 0; own < 2; own++) {
        static struct fixture f;
        struct error e = {0};
        bool ok = false;
        fixture_prepare(&f, CHAIN_REGTEST);
        f.options.chain.reindex = own;
        if (own) {
            const struct flat_store *s = &f.kit.ports.files;
            cr_assert_eq(s->ops->write(s->ctx, FLAT_BLOCKS, 0, 0, buffer_span(&file), NULL), RESULT_OK);
        }
        fixture_open(&f);
        cr_assert_eq(node_activate(f.node, NULL, &e), RESULT_OK);
        struct import_progress p = own ? import_own(&f) : import_all(&f, &(struct span){file.data, file.len}, 1);
        cr_assert_eq(p.rejected, 0);
        expect_at(&f, &l, 39);
        cr_assert_eq(chain_verify(f.node->chain, 4, 0, &ok, &e), RESULT_OK);
        cr_assert(ok);
        fixture_free(&f);
    }
    buffer_clear(&file);
    line_clear(&l);
}

/* In a reindex, blocks come from elsewhere before our own files were read: they must not be written over what is in
 * these. */
Test(review_node, new_block_while_files_are_read)
{
    static struct fixture f;
    static struct line l, side;
    struct error e = {0};
    struct verdict v = {0};
    bool is_new, done = false;
    line_make(&l, 60, 1);
    line_make(&side, 8, 2);
    struct buffer file = line_file(&l);
    fixture_prepare(&f, CHAIN_REGTEST);
    f.options.chain.reindex = true;
    f.options.chain.max_file_bytes = 4096; /* the last file may take some more */
    const struct flat_store *s = &f.kit.ports.files;
    size_t half = 0;
    for (size_t i = 0; i < 30; i++) half += 8 + l.blocks[i]->raw.len;
    cr_assert_eq(s->ops->write(s->ctx, FLAT_BLOCKS, 0, 0, span_of(file.data, half), NULL), RESULT_OK);
    cr_assert_eq(s->ops->write(s->ctx, FLAT_BLOCKS, 1, 0, span_from(buffer_span(&file), half), NULL), RESULT_OK);
    fixture_open(&f);
    cr_assert_eq(node_activate(f.node, NULL, &e), RESULT_OK);
    struct import *i = import_new(f.node);
    import_add_own_files(i);
    for (size_t b = 1; b < side.count; b++) {
        v = (struct verdict){0};
        cr_assert_eq(node_submit_block(f.node, side.blocks[b], &is_new, &v, &e), RESULT_OK);
        cr_assert(verdict_ok(&v) && is_new);
    }
    while (!done) cr_assert_eq(import_step(i, &done, &e), RESULT_OK, "%s", e.text);
    import_free(i);
    expect_at(&f, &l, 59);
    bool ok = false;
    cr_assert_eq(chain_verify(f.node->chain, 4, 0, &ok, &e), RESULT_OK);
    cr_assert(ok);
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
    line_clear(&side);
}

/* Counts the bytes that are read. */
struct counted {
    struct bytes_source bytes;
    uint64_t read;
};

static enum result counted_read(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e)
{
    (void)e;
    struct counted *c = ctx;
    struct span left = span_from(c->bytes.bytes, (size_t)offset);
    *got = left.len < len ? left.len : len;
    memcpy(out, left.data, *got);
    c->read += *got;
    return RESULT_OK;
}

/* Every ten bytes something claims to be a block of 4 MB. The file is not read again for each of them. */
Test(review_node, claims_of_megabytes, .timeout = 300)
{
    static struct fixture f;
    struct buffer file = {0};
    struct error e = {0};
    bool done = false;
    fixture_prepare(&f, CHAIN_MAIN);
    fixture_open(&f);
    while (file.len < 10 << 20) {
        buffer_put(&file, f.kit.params.magic, 4);
        buffer_put_le32(&file, 3900000);
        buffer_put(&file, "\x01\x02", 2);
    }
    struct counted c = {.bytes = {.bytes = buffer_span(&file)}};
    struct import *i = import_new(f.node);
    import_add(i, &(struct import_source){counted_read, NULL, &c, file.len, -1, "claims"});
    while (!done) cr_assert_eq(import_step(i, &done, &e), RESULT_OK, "%s", e.text);
    import_free(i);
    cr_assert_lt(c.read, 20 * file.len, "%llu bytes of %zu", (unsigned long long)c.read, file.len);
    buffer_clear(&file);
    fixture_free(&f);
}
