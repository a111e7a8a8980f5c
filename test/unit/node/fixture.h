/* A node on stores in memory, a tree of blocks to feed it, and byte strings as sources of an import. */
#ifndef CAIRN_TEST_NODE_FIXTURE_H
#define CAIRN_TEST_NODE_FIXTURE_H

#include "index/index.h"
#include "node/import.h"
#include "support/block_maker.h"
#include "support/chain_kit.h"

/* Must stay where it is while it is open. */
struct fixture {
    struct kit kit; /* stores and options; its chain is the node's */
    struct kv_store tx_store, stats_store;
    struct node_options options;
    struct node *node;
};

/* Stores and options; nothing is open yet. */
void fixture_prepare(struct fixture *f, enum chain_type type);
void fixture_open(struct fixture *f);

/* Prepares, opens, and connects genesis. */
void fixture_new(struct fixture *f, enum chain_type type);

/* Writes everything and closes; the stores stay. */
void fixture_close(struct fixture *f);
void fixture_free(struct fixture *f);

int32_t fixture_height(const struct fixture *f);

/* ---- a chain of blocks ---- */

enum { LINE_MAX = 150 };

/* Regtest blocks 0 .. COUNT - 1, and the bytes of a block file with them. */
struct line {
    struct block *blocks[LINE_MAX];
    struct header_node nodes[LINE_MAX];
    size_t count;
};

void line_make(struct line *l, size_t count, uint32_t tag);
void line_clear(struct line *l);

/* Appends block I as a record. */
void line_put(const struct line *l, size_t i, struct buffer *out);
struct buffer line_file(const struct line *l);

/* ---- importing ---- */

struct bytes_source {
    struct span bytes;
    uint64_t fail_at; /* reads that touch this offset fail; 0: none */
    bool closed;
};

void bytes_source_add(struct import *i, struct bytes_source *s);

/* Imports COUNT byte strings one after the other in one import. */
struct import_progress import_all(struct fixture *f, const struct span *files, size_t count);

/* Imports our own block files. */
struct import_progress import_own(struct fixture *f);

void expect_at(struct fixture *f, const struct line *l, size_t height);

#endif
