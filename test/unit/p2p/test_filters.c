/* Compact block filters out: what is answered, what is not, and when the answer waits. */
#include "index/block_filter.h"
#include "index/index.h"
#include "relay_kit.h"

struct filters {
    struct harness h;
    struct kv_store store;
    struct filter_index *index;
    peer_id id; /* who asks */
};

static void filters_catch_up(struct filters *f)
{
    struct error e = {0};
    bool synced = false;
    cr_assert_eq(filter_index_catch_up(f->index, 100000, &synced, &e), RESULT_OK, "%s", e.text);
    cr_assert(synced);
}

/* A node with COUNT blocks, their filters where INDEXED, and a peer. */
static void filters_new(struct filters *f, size_t count, uint64_t services, bool indexed)
{
    struct error e = {0};
    *f = (struct filters){0};
    harness_prepare(&f->h);
    f->h.kit.options.check_index = false;
    f->h.options.services |= services;
    harness_open(&f->h);
    grow(&f->h, count);
    memory_store_open(&f->store, NULL);
    cr_assert_eq(filter_index_open(&f->index, f->store, f->h.kit.chain, NULL, &e), RESULT_OK, "%s", e.text);
    if (indexed) filters_catch_up(f);
    p2p_set_filter_index(f->h.p, f->index);
    f->id = harness_peer(&f->h, "1.2.3.4:5000", CONN_INBOUND);
    harness_clear_log(&f->h);
}

static void filters_free(struct filters *f)
{
    harness_free(&f->h);
    filter_index_free(f->index);
    memory_store_close(&f->store);
}

static struct block_node *at(struct filters *f, int32_t height)
{
    return chain_at(f->h.kit.chain, height);
}

static void ask(struct filters *f, enum message_type type, uint32_t start, const struct block_node *stop)
{
    harness_say(&f->h, f->id,
                &(struct message){.type = type, .as.getcfilters = {.start_height = start, .stop = stop->header.hash}});
}

static struct filter_record record_of(struct filters *f, const struct block_node *n)
{
    struct filter_record record;
    struct error e = {0};
    cr_assert_eq(filter_index_get(f->index, n, &record, &e), RESULT_OK, "%s", e.text);
    return record;
}

static void expect_filters(struct filters *f, int32_t start, const struct block_node *stop)
{
    struct message m;
    struct buffer filter = {0};
    struct error e = {0};
    for (int32_t h = start; h <= stop->header.height; h++) {
        const struct block_node *n = block_node_ancestor(stop, h);
        cr_assert(harness_answer(&f->h, f->id, MESSAGE_CFILTER, &m), "height %d", h);
        cr_assert_eq(m.as.cfilter.filter_type, 0);
        cr_assert(block_hash_equal(&m.as.cfilter.block, &n->header.hash));
        cr_assert_eq(filter_index_read(f->index, n, &filter, &e), RESULT_OK);
        cr_assert(span_equal(m.as.cfilter.filter, buffer_span(&filter)));
    }
    cr_assert_not(harness_answer(&f->h, f->id, MESSAGE_CFILTER, &m));
    buffer_clear(&filter);
}

static void expect_hashes(struct filters *f, int32_t start, const struct block_node *stop)
{
    struct message m;
    static const uint8_t zeroes[32];
    cr_assert(harness_answer(&f->h, f->id, MESSAGE_CFHEADERS, &m));
    cr_assert_eq(m.as.cfheaders.filter_type, 0);
    cr_assert(block_hash_equal(&m.as.cfheaders.stop, &stop->header.hash));
    cr_assert_eq(m.as.cfheaders.hashes.len, (size_t)(stop->header.height - start + 1) * 32);
    uint8_t header[32];
    memcpy(header, start ? record_of(f, block_node_ancestor(stop, start - 1)).header : zeroes, 32);
    cr_assert_arr_eq(m.as.cfheaders.previous, header, 32);
    for (size_t i = 0; i < m.as.cfheaders.hashes.len; i += 32)
        block_filter_header(header, m.as.cfheaders.hashes.data + i, header);
    cr_assert_arr_eq(header, record_of(f, stop).header, 32, "the headers chain up to the last one");
}

Test(filters, filters_and_headers_of_a_range)
{
    static struct filters f;
    filters_new(&f, 30, NODE_COMPACT_FILTERS, true);
    static const int32_t ranges[][2] = {{0, 30}, {1, 30}, {0, 0}, {7, 7}, {30, 30}, {3, 29}};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        ask(&f, MESSAGE_GETCFILTERS, (uint32_t)ranges[i][0], at(&f, ranges[i][1]));
        expect_filters(&f, ranges[i][0], at(&f, ranges[i][1]));
        ask(&f, MESSAGE_GETCFHEADERS, (uint32_t)ranges[i][0], at(&f, ranges[i][1]));
        expect_hashes(&f, ranges[i][0], at(&f, ranges[i][1]));
    }
    filters_free(&f);
}

/* The chain up to the limits: 1,000 filters, 2,000 headers, a checkpoint for each thousand blocks. */
Test(filters, limits_and_checkpoints, .timeout = 120)
{
    static struct filters f;
    struct message m;
    filters_new(&f, 2001, NODE_COMPACT_FILTERS, true);
    ask(&f, MESSAGE_GETCFILTERS, 1, at(&f, 1000));
    expect_filters(&f, 1, at(&f, 1000));
    ask(&f, MESSAGE_GETCFHEADERS, 2, at(&f, 2001));
    expect_hashes(&f, 2, at(&f, 2001));
    static const int32_t stops[] = {0, 999, 1000, 1999, 2000, 2001};
    for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
        ask(&f, MESSAGE_GETCFCHECKPT, 0, at(&f, stops[i]));
        cr_assert(harness_answer(&f.h, f.id, MESSAGE_CFCHECKPT, &m));
        cr_assert(block_hash_equal(&m.as.cfheaders.stop, &at(&f, stops[i])->header.hash));
        size_t count = (size_t)stops[i] / 1000;
        cr_assert_eq(m.as.cfheaders.hashes.len, count * 32);
        for (size_t k = 0; k < count; k++) {
            struct filter_record record = record_of(&f, at(&f, (int32_t)(k + 1) * 1000));
            cr_assert_arr_eq(m.as.cfheaders.hashes.data + k * 32, record.header, 32);
        }
    }
    ask(&f, MESSAGE_GETCFILTERS, 1, at(&f, 1001));
    cr_assert(harness_logged(&f.h, "peer requested too many cfilters/cfheaders: 1001 / 1000, disconnecting peer=0"));
    cr_assert(f.h.closed[f.id]);
    f.id = harness_peer(&f.h, "1.2.3.5:5000", CONN_INBOUND);
    ask(&f, MESSAGE_GETCFHEADERS, 1, at(&f, 2001));
    cr_assert(harness_logged(&f.h, "peer requested too many cfilters/cfheaders: 2001 / 2000, disconnecting peer=1"));
    cr_assert(f.h.closed[f.id]);
    filters_free(&f);
}

static const enum message_type requests[] = {MESSAGE_GETCFILTERS, MESSAGE_GETCFHEADERS, MESSAGE_GETCFCHECKPT};

/* The next peer sends M and is gone; the log says TEXT. */
static void expect_disconnect(struct filters *f, const struct message *m, const char *text)
{
    char expected[200];
    cr_assert_not(f->h.closed[f->id]);
    harness_say(&f->h, f->id, m);
    snprintf(expected, sizeof expected, "%s, disconnecting peer=%d", text, (int)f->id);
    cr_assert(harness_logged(&f->h, expected), "%s", expected);
    cr_assert(f->h.closed[f->id]);
    f->id = harness_peer(&f->h, "1.2.3.4:5000", CONN_INBOUND);
}

Test(filters, who_asks_for_what_cannot_be_is_disconnected)
{
    static struct filters f;
    filters_new(&f, 5, NODE_COMPACT_FILTERS, true);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct message m = {.type = requests[i], .as.getcfilters = {.filter_type = 1, .stop = at(&f, 5)->header.hash}};
        expect_disconnect(&f, &m, "peer requested unsupported block filter type: 1");
        m.as.getcfilters.filter_type = 0;
        m.as.getcfilters.stop = (struct block_hash){{1}};
        expect_disconnect(&f, &m,
                          "peer requested invalid block hash: "
                          "0000000000000000000000000000000000000000000000000000000000000001");
        if (requests[i] == MESSAGE_GETCFCHECKPT) continue;
        m.as.getcfilters.stop = at(&f, 5)->header.hash;
        m.as.getcfilters.start_height = 6;
        expect_disconnect(&f, &m, "peer sent invalid getcfilters/getcfheaders with start height 6 and stop height 5");
        m.as.getcfilters.start_height = UINT32_MAX;
        expect_disconnect(&f, &m,
                          "peer sent invalid getcfilters/getcfheaders with start height 4294967295 and stop height 5");
    }
    filters_free(&f);
}

Test(filters, not_offered)
{
    static struct filters f;
    filters_new(&f, 5, 0, true);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        expect_disconnect(&f,
                          &(struct message){.type = requests[i], .as.getcfilters = {.stop = at(&f, 5)->header.hash}},
                          "peer requested unsupported block filter type: 0");
    filters_free(&f);
}

/* An index that is behind, or not there: nothing is answered, and nobody is to blame. */
Test(filters, not_there_yet)
{
    static struct filters f;
    char names[64];
    filters_new(&f, 1000, NODE_COMPACT_FILTERS, false);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        ask(&f, requests[i], requests[i] == MESSAGE_GETCFILTERS, at(&f, 1000));
    cr_assert(
        harness_logged(&f.h, "Failed to find block filter in index: filter_type=basic, start_height=1, stop_hash="));
    cr_assert(harness_logged(
        &f.h, "Failed to find block filter hashes in index: filter_type=basic, start_height=0, stop_hash="));
    cr_assert(harness_logged(&f.h, "Failed to find block filter header in index: filter_type=basic, block_hash="));
    harness_clear_log(&f.h);
    p2p_set_filter_index(f.h.p, NULL);
    ask(&f, MESSAGE_GETCFILTERS, 1, at(&f, 1000));
    cr_assert(harness_logged(&f.h, "Filter index for supported type basic not found"));
    cr_assert_not(f.h.closed[f.id]);
    cr_assert_str_eq(harness_names(&f.h, f.id, names, sizeof names), "");
    filters_free(&f);
}

/* Blocks that left the chain lately can be asked for. */
Test(filters, a_stale_branch)
{
    static struct filters f;
    filters_new(&f, 4, NODE_COMPACT_FILTERS, true);
    struct block_node *stale = at(&f, 4), *fork = at(&f, 2);
    struct block *a = make_empty_block(&fork->header, &f.h.kit.params, 7);
    harness_feed(&f.h, a);
    struct block *b = make_empty_block(&chain_find(f.h.kit.chain, &a->hash)->header, &f.h.kit.params, 7);
    harness_feed(&f.h, b);
    struct block *c = make_empty_block(&chain_find(f.h.kit.chain, &b->hash)->header, &f.h.kit.params, 7);
    harness_feed(&f.h, c);
    cr_assert_not(chain_contains(f.h.kit.chain, stale));
    filters_catch_up(&f);
    harness_forget(&f.h, f.id);
    ask(&f, MESSAGE_GETCFILTERS, 1, stale);
    expect_filters(&f, 1, stale);
    ask(&f, MESSAGE_GETCFHEADERS, 1, stale);
    expect_hashes(&f, 1, stale);
    ask(&f, MESSAGE_GETCFILTERS, 1, at(&f, 5));
    expect_filters(&f, 1, at(&f, 5));
    block_free(a);
    block_free(b);
    block_free(c);
    filters_free(&f);
}

/* While the send queue is full nothing is served, and the peer may not say more. */
Test(filters, they_wait_for_room)
{
    static struct filters f;
    filters_new(&f, 20, NODE_COMPACT_FILTERS, true);
    p2p_send_full(f.h.p, f.id, true);
    harness_peer_of(&f.h, f.id)->filters = (struct peer_filters){.stop = at(&f, 20), .next = 3};
    harness_ticks(&f.h, 3);
    cr_assert_eq(harness_answers(&f.h, f.id, MESSAGE_CFILTER), 0);
    cr_assert_not(p2p_ready(f.h.p, f.id, "ping"));
    p2p_send_full(f.h.p, f.id, false);
    cr_assert(p2p_has_work(f.h.p));
    cr_assert_not(p2p_ready(f.h.p, f.id, "ping"));
    p2p_tick(f.h.p);
    harness_pump(&f.h);
    expect_filters(&f, 3, at(&f, 20));
    cr_assert(p2p_ready(f.h.p, f.id, "ping"));
    filters_free(&f);
}
