/* A chain on stores in memory, for tests of every room from the chain upwards: open, feed, crash, compare. */
#ifndef CAIRN_TEST_SUPPORT_CHAIN_KIT_H
#define CAIRN_TEST_SUPPORT_CHAIN_KIT_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "base/hex.h"
#include "chain/chain.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"
#include "store/store.h"
#include "support/data.h"

/* Must stay where it is while it is open: the stores point to FAULT. */
struct kit {
    struct chain_params params;
    struct chain_options options;
    struct chain_ports ports;
    struct memory_fault fault;
    struct chain *chain;
    int64_t now_s;
    void (*on_notice)(void *arg, const struct notice *notice); /* may be NULL */
    void *arg;
    size_t connected, disconnected, invalid; /* notices so far */
};

static inline void kit_prepare(struct kit *k, enum chain_type type)
{
    *k = (struct kit){.params = *chain_params_get(type), .now_s = INT64_C(1750000000)};
    k->fault.result = RESULT_IO;
    k->options = (struct chain_options){
        .cache_bytes = 64 << 20, .max_file_bytes = 1 << 20, .sig_cache_bytes = 1 << 16, .check_index = true};
    memset(k->options.seed, 7, sizeof(k->options.seed));
}

static inline enum result kit_try_open(struct kit *k, struct error *e)
{
    return chain_open(&k->chain, &k->params, &k->options, &k->ports, k->now_s, NULL, e);
}

static inline void kit_open(struct kit *k)
{
    struct error e = {0};
    enum result r = kit_try_open(k, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
}

static inline void kit_stores(struct kit *k)
{
    memory_store_open(&k->ports.index, &k->fault);
    memory_store_open(&k->ports.coins, &k->fault);
    memory_files_open(&k->ports.files, &k->fault);
}

/* Steps until idle. V (may be NULL) gets the verdict on the block with the hash ABOUT, where it was refused. */
static inline enum result kit_try_run(struct kit *k, const struct block *given, const struct block_hash *about,
                                      struct verdict *v, struct error *e)
{
    for (;;) {
        struct notice notice;
        enum result r = chain_step(k->chain, k->now_s, given, &notice, e);
        if (r) return r;
        k->connected += notice.kind == NOTICE_CONNECTED;
        k->disconnected += notice.kind == NOTICE_DISCONNECTED;
        k->invalid += notice.kind == NOTICE_INVALID;
        if (notice.kind == NOTICE_INVALID && about && block_hash_equal(&notice.node->header.hash, about))
            *v = notice.verdict;
        bool idle = notice.kind == NOTICE_NONE;
        if (!idle && k->on_notice) k->on_notice(k->arg, &notice);
        notice_clear(&notice);
        if (idle) return RESULT_OK;
        r = chain_flush_if_needed(k->chain, e);
        if (r) return r;
    }
}

static inline void kit_run(struct kit *k)
{
    struct error e = {0};
    enum result r = kit_try_run(k, NULL, NULL, NULL, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
}

/* A new chain; genesis is connected. */
static inline void kit_new(struct kit *k, enum chain_type type)
{
    kit_prepare(k, type);
    kit_stores(k);
    kit_open(k);
    kit_run(k);
}

static inline void kit_close_chain(struct kit *k)
{
    chain_free(k->chain);
    k->chain = NULL;
}

static inline void kit_free(struct kit *k)
{
    kit_close_chain(k);
    memory_store_close(&k->ports.index);
    memory_store_close(&k->ports.coins);
    memory_files_close(&k->ports.files);
}

static inline void kit_flush(struct kit *k)
{
    struct error e = {0};
    enum result r = chain_flush(k->chain, false, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
}

/* Closes cleanly and opens again. */
static inline void kit_restart(struct kit *k)
{
    kit_flush(k);
    kit_close_chain(k);
    kit_open(k);
}

/* DST gets what a crash of SRC at this instant would leave; it is not opened. */
static inline void kit_clone(struct kit *dst, const struct kit *src)
{
    *dst = *src;
    dst->chain = NULL;
    dst->fault = (struct memory_fault){.result = RESULT_IO};
    dst->on_notice = NULL;
    memory_store_clone(&dst->ports.index, &src->ports.index, &dst->fault);
    memory_store_clone(&dst->ports.coins, &src->ports.coins, &dst->fault);
    memory_files_clone(&dst->ports.files, &src->ports.files, &dst->fault);
}

/* Accepts and connects; V says what was wrong with this very block. */
static inline enum result kit_try_feed(struct kit *k, const struct block *b, struct verdict *v, struct error *e)
{
    struct block_node *node;
    bool is_new;
    *v = (struct verdict){0};
    enum result r = chain_accept_block(k->chain, b, k->now_s, ACCEPT_REQUESTED, NULL, &node, &is_new, v, e);
    if (r || !verdict_ok(v)) return r;
    return kit_try_run(k, b, &b->hash, v, e);
}

static inline struct verdict kit_feed(struct kit *k, const struct block *b)
{
    struct error e = {0};
    struct verdict v;
    enum result r = kit_try_feed(k, b, &v, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    return v;
}

/* The block must be good. */
static inline void kit_feed_good(struct kit *k, const struct block *b)
{
    struct verdict v = kit_feed(k, b);
    cr_assert(verdict_ok(&v), "%s, %s", v.reason, v.detail);
}

/* The next record of a block file's bytes; NULL at the end. */
static inline struct block *kit_next_block(struct span *file)
{
    if (file->len < 8) return NULL;
    uint32_t len = get_le32(file->data + 4);
    cr_assert_leq(len, file->len - 8);
    struct block *b = block_parse(span_of(file->data + 8, len));
    cr_assert_not_null(b);
    *file = span_from(*file, 8 + (size_t)len);
    return b;
}

/* Feeds every block of a file's bytes, or the first COUNT. */
static inline void kit_import(struct kit *k, struct span file, size_t count)
{
    struct block *b;
    for (; count-- && (b = kit_next_block(&file));) {
        kit_feed_good(k, b);
        block_free(b);
    }
}

/* hash_serialized_3 of the coins in the store, made here without the index room; in display order. */
static inline void kit_utxo_hash(struct kit *k, char out[65])
{
    kit_flush(k);
    coins_check(k->chain->coins);
    struct coins_iter *it = coins_iter_new(k->chain->coins);
    struct outpoint at;
    struct coin coin;
    enum result r;
    struct error e = {0};
    struct sha256 h;
    struct buffer bytes = {0};
    uint8_t hash[32];
    sha256_init(&h);
    while (coins_iter_next(it, &at, &coin, &r, &e)) {
        bytes.len = 0;
        buffer_put(&bytes, at.txid.bytes, 32);
        buffer_put_le32(&bytes, at.index);
        buffer_put_le32(&bytes, coin.origin);
        buffer_put_le64(&bytes, (uint64_t)coin.value);
        buffer_put_compact_size(&bytes, coin.script_pubkey.len);
        buffer_put_span(&bytes, coin.script_pubkey);
        sha256_put(&h, bytes.data, bytes.len);
    }
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    sha256_final_double(&h, hash);
    hex_encode_reversed(out, hash, 32);
    coins_iter_free(it);
    buffer_clear(&bytes);
}

static inline void kit_expect_hash(struct kit *k, const char *hash)
{
    char got[65];
    kit_utxo_hash(k, got);
    cr_assert_str_eq(got, hash);
}

#endif
