/* A node on stores in memory. */
#include "fixture.h"

void fixture_prepare(struct fixture *f, enum chain_type type)
{
    *f = (struct fixture){0};
    kit_prepare(&f->kit, type);
    kit_stores(&f->kit);
    memory_store_open(&f->tx_store, &f->kit.fault);
    memory_store_open(&f->stats_store, &f->kit.fault);
    f->options = (struct node_options){
        .chain = f->kit.options, .params = f->kit.params, .version = "0", .subversion = "/test:0/", .log_path = ""};
    f->options.chain.check_index = type == CHAIN_REGTEST;
}

void fixture_open(struct fixture *f)
{
    struct error e = {0};
    cr_assert_eq(node_open(&f->node, &f->options, &f->kit.ports, f->kit.now_s * 1000000, NULL, &e), RESULT_OK, "%s",
                 e.text);
    f->kit.chain = f->node->chain;
}

void fixture_new(struct fixture *f, enum chain_type type)
{
    struct error e = {0};
    fixture_prepare(f, type);
    fixture_open(f);
    cr_assert_eq(node_activate(f->node, NULL, &e), RESULT_OK, "%s", e.text);
}

void fixture_close(struct fixture *f)
{
    struct error e = {0};
    cr_assert_eq(node_close(f->node, &e), RESULT_OK, "%s", e.text);
    f->node = NULL;
    f->kit.chain = NULL;
}

void fixture_free(struct fixture *f)
{
    node_free(f->node);
    f->kit.chain = NULL;
    memory_store_close(&f->tx_store);
    memory_store_close(&f->stats_store);
    kit_free(&f->kit);
}

int32_t fixture_height(const struct fixture *f)
{
    return chain_height(f->node->chain);
}

/* ---- a chain of blocks ---- */

void line_make(struct line *l, size_t count, uint32_t tag)
{
    const struct chain_params *p = chain_params_get(CHAIN_REGTEST);
    cr_assert_leq(count, LINE_MAX);
    for (l->count = 0; l->count < count; l->count++) {
        size_t i = l->count;
        if (i == 0) {
            l->blocks[0] = block_parse(p->genesis_raw);
        } else {
            struct draft d = draft_on(&l->nodes[i - 1], p, tag);
            if (i > COINBASE_MATURITY + 1) {
                struct outpoint at = outpoint_of(l->blocks[i - COINBASE_MATURITY - 1], 0, 0);
                draft_move(&d, &at, 1000);
            }
            l->blocks[i] = draft_mine(&d, p);
        }
        header_node_link(&l->nodes[i], &l->blocks[i]->header, &l->blocks[i]->hash, i ? &l->nodes[i - 1] : NULL);
    }
}

void line_clear(struct line *l)
{
    for (size_t i = 0; i < l->count; i++) block_free(l->blocks[i]);
}

void line_put(const struct line *l, size_t i, struct buffer *out)
{
    buffer_put(out, chain_params_get(CHAIN_REGTEST)->magic, 4);
    buffer_put_le32(out, (uint32_t)l->blocks[i]->raw.len);
    buffer_put_span(out, l->blocks[i]->raw);
}

struct buffer line_file(const struct line *l)
{
    struct buffer out = {0};
    for (size_t i = 0; i < l->count; i++) line_put(l, i, &out);
    return out;
}

/* ---- importing ---- */

static enum result bytes_read(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e)
{
    struct bytes_source *s = ctx;
    struct span left = span_from(s->bytes, (size_t)offset);
    *got = left.len < len ? left.len : len;
    if (s->fail_at && offset <= s->fail_at && s->fail_at - offset < *got)
        return error_set(e, RESULT_IO, "the source fails, as the test asked");
    if (*got) memcpy(out, left.data, *got);
    return RESULT_OK;
}

static void bytes_close(void *ctx)
{
    struct bytes_source *s = ctx;
    s->closed = true;
}

void bytes_source_add(struct import *i, struct bytes_source *s)
{
    import_add(i, &(struct import_source){bytes_read, bytes_close, s, s->bytes.len, -1, "bytes"});
}

static struct import_progress run_import(struct import *i)
{
    struct import_progress progress;
    struct error e = {0};
    for (bool done = false; !done;) cr_assert_eq(import_step(i, &done, &e), RESULT_OK, "%s", e.text);
    import_progress(i, &progress);
    progress.name = NULL;
    import_free(i);
    return progress;
}

struct import_progress import_all(struct fixture *f, const struct span *files, size_t count)
{
    struct bytes_source sources[4] = {0};
    struct import *i = import_new(f->node);
    cr_assert_leq(count, 4);
    for (size_t k = 0; k < count; k++) {
        sources[k].bytes = files[k];
        bytes_source_add(i, &sources[k]);
    }
    struct import_progress progress = run_import(i);
    for (size_t k = 0; k < count; k++) cr_assert(sources[k].closed);
    cr_assert_not(f->node->importing);
    return progress;
}

struct import_progress import_own(struct fixture *f)
{
    struct import *i = import_new(f->node);
    import_add_own_files(i);
    return run_import(i);
}

void expect_at(struct fixture *f, const struct line *l, size_t height)
{
    cr_assert_eq(fixture_height(f), (int32_t)height);
    cr_assert(block_hash_equal(&chain_tip(f->node->chain)->header.hash, &l->blocks[height]->hash));
}
