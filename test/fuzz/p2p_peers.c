/* A whole node in memory whose peers say anything: connections, handshakes, real and damaged headers, blocks and
 * compact blocks of several branches, their transactions in any order, honest answers to what we ask, arbitrary
 * messages, time that jumps, sends that stall. The first bytes choose how the node is set up. After each step all
 * invariants of the peers are recomputed, all that we send must be readable; in the end the active chain must hold
 * nothing but good blocks, and all connections can end. */
#include <stdio.h>
#include <stdlib.h>

#include "addrman/addrman.h"
#include "fuzz/p2p_material.h"
#include "node/peers.h"
#include "p2p/peer_info.h"

enum { PEERS = 40, STEPS = 150, WANTED = 16, LOCATOR = 8, LONG_MESSAGES = 3, MEMORY_MAX = 32 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#ifdef __clang__
const char *__asan_default_options(void);

/* What was freed lately is only watched for a while: else each run touches fresh memory, and most of the time goes
 * there. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:thread_local_quarantine_size_kb=512";
}
#endif

/* A connection as the other side knows it: what we asked it for last. */
struct talker {
    peer_id id;
    struct block_hash locator[LOCATOR]; /* of a getheaders */
    size_t locator_count;
    struct inv wanted[WANTED]; /* of a getdata */
    size_t wanted_count;
    struct block_hash missing; /* of a getblocktxn */
    uint16_t indexes[WANTED];
    size_t index_count;
    uint64_t nonce; /* of a ping */
    bool pinged;
};

enum setup {
    SETUP_MIN_WORK = 1, /* only the long chain has the minimum work: headers go through the presync */
    SETUP_LATE = 2,     /* days after the last block: initial download */
    SETUP_FULL = 4,     /* few inbound slots */
    SETUP_BLOCKS_ONLY = 8,
    SETUP_UPLOAD = 16, /* a small upload target, and compact filters are served */
    SETUP_SEEDS = 32,
    SETUP_IMPORT = 64,
    SETUP_LOG = 128, /* all lines are formatted */
};

struct run {
    struct reader in;
    uint8_t setup;
    struct node *node;
    struct log log;
    struct memory_fault fault;
    struct chain_ports ports;
    struct kv_store filters;
    struct talker talkers[PEERS];
    size_t count;
    unsigned long_messages;
    bool lazy; /* blocks are left with the owner for a while */
    int64_t wall_us, steady_us;
    const struct material *material;
    struct arena arena;
};

static uint8_t next(struct run *r)
{
    return reader_left(&r->in) ? read_u8(&r->in) : 0;
}

/* Of a branch; now and then what comes after our tip, or of the chain below. */
static const struct block *next_block(struct run *r)
{
    uint8_t which = next(r);
    int above = chain_height(r->node->chain) - BASE;
    if (which >= 240) return r->material->base[BASE + which - 256];
    if (which >= 180 && above < BRANCH) return r->material->blocks[which % BRANCHES][above];
    return r->material->blocks[which % BRANCHES][which / BRANCHES % BRANCH];
}

static struct endpoint next_endpoint(struct run *r)
{
    static const enum network others[] = {NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    uint8_t first = next(r), second = next(r);
    struct endpoint e = {.addr = netaddr_ipv4((const uint8_t[]){(uint8_t)(1 + first % 100), second, 3, 4})};
    if (first == 254) e.addr = netaddr_ipv4((const uint8_t[]){127, 0, 0, second});
    if (first < 200 || first == 254) {
        e.port = 18444;
        return e;
    }
    e.addr = (struct netaddr){.net = others[first % ARRAY_LEN(others)]};
    memset(e.addr.bytes, second, netaddr_len(e.addr.net));
    e.addr.bytes[0] = e.addr.net == NET_CJDNS ? 0xfc : 0x2a;
    e.port = e.addr.net == NET_I2P ? 0 : 18444;
    return e;
}

static struct talker *next_talker(struct run *r)
{
    return r->count ? &r->talkers[next(r) % r->count] : NULL;
}

/* ---- what the owner does ---- */

/* False where it is gone already. */
static bool hang_up(struct run *r, peer_id id)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->talkers[i].id != id) continue;
        r->talkers[i] = r->talkers[--r->count];
        p2p_disconnected(r->node->p2p, id);
        return true;
    }
    return false;
}

static struct talker *connect_peer(struct run *r, uint64_t dial, const struct endpoint *at)
{
    struct p2p_connection c = {.dial = dial, .remote = *at, .transport = TRANSPORT_V1};
    if (!dial) {
        uint8_t how = next(r);
        c.onion = how == 1;
        if (how >= 224) c.permissions = next(r) & PERM_ALL;
    }
    peer_id id = p2p_connected(r->node->p2p, &c);
    if (id == P2P_NO_PEER) return NULL;
    if (r->count == PEERS) {
        p2p_disconnected(r->node->p2p, id);
        return NULL;
    }
    r->talkers[r->count] = (struct talker){.id = id};
    return &r->talkers[r->count++];
}

/* Remembers what there is to answer. */
static void hear(struct run *r, struct talker *t, const struct p2p_action *a)
{
    struct message m;
    enum message_type type = message_type_of(a->name);
    if (type == MESSAGE_UNKNOWN) CHECK(strcmp(a->name, "alert") == 0); /* the last one, for old peers */
    CHECK(message_read(&m, type, buffer_span(&a->payload), &r->arena) == MESSAGE_OK);
    if (type == MESSAGE_GETHEADERS) {
        t->locator_count = m.as.locator.count < LOCATOR ? m.as.locator.count : LOCATOR;
        memcpy(t->locator, m.as.locator.hashes, t->locator_count * sizeof(t->locator[0]));
    } else if (type == MESSAGE_GETDATA) {
        for (size_t i = 0; i < m.as.inv.count && t->wanted_count < WANTED; i++)
            t->wanted[t->wanted_count++] = m.as.inv.items[i];
    } else if (type == MESSAGE_GETBLOCKTXN) {
        t->missing = m.as.getblocktxn.block;
        t->index_count = m.as.getblocktxn.count < WANTED ? m.as.getblocktxn.count : WANTED;
        memcpy(t->indexes, m.as.getblocktxn.indexes, t->index_count * sizeof(t->indexes[0]));
    } else if (type == MESSAGE_PING) {
        t->pinged = true;
        t->nonce = m.as.ping.nonce;
    }
    arena_reset(&r->arena);
}

static void take_action(struct run *r, struct p2p_action *a)
{
    switch (a->kind) {
    case P2P_SEND:
        for (size_t i = 0; i < r->count; i++)
            if (r->talkers[i].id == a->peer) hear(r, &r->talkers[i], a);
        p2p_sent(r->node->p2p, a->peer, a->name, 24 + a->payload.len, 0);
        buffer_clear(&a->payload);
        break;
    case P2P_DISCONNECT: (void)hang_up(r, a->peer); break;
    case P2P_DIAL:
        if (!a->host[0] && next(r) % 4)
            connect_peer(r, a->dial, &a->to);
        else
            p2p_dial_failed(r->node->p2p, a->dial, NULL, false);
        break;
    case P2P_RESOLVE: {
        struct netaddr found = next_endpoint(r).addr;
        p2p_resolved(r->node->p2p, a->host, &found, next(r) % 2);
        break;
    }
    case P2P_PAUSE: break;
    }
}

static void settle(struct run *r)
{
    struct error e;
    struct p2p_action a;
    bool more = true;
    while (more) {
        while (p2p_take_action(r->node->p2p, &a)) take_action(r, &a);
        CHECK(node_take_blocks(r->node, r->lazy ? 1 : 4, &more, &e) == RESULT_OK);
        if (r->lazy) break;
    }
    while (p2p_take_action(r->node->p2p, &a)) take_action(r, &a);
    p2p_check(r->node->p2p);
}

/* ---- saying ---- */

/* PAYLOAD is taken. */
static void say_bytes(struct run *r, const struct talker *t, const char *name, struct buffer *payload)
{
    struct received m = {.payload = *payload, .wire_bytes = 24 + payload->len};
    snprintf(m.name, sizeof(m.name), "%s", name);
    if (t && p2p_ready(r->node->p2p, t->id, m.name))
        p2p_received(r->node->p2p, t->id, &m);
    else
        buffer_clear(&m.payload);
}

static void say(struct run *r, const struct talker *t, const struct message *m)
{
    struct buffer payload = {0};
    message_write(&payload, m);
    say_bytes(r, t, message_row(m->type)->name, &payload);
}

/* Now and then with a byte changed, or cut. */
static void say_damaged(struct run *r, const struct talker *t, const struct message *m)
{
    struct buffer payload = {0};
    message_write(&payload, m);
    uint8_t damage = next(r);
    if (damage > 200 && payload.len) payload.data[(damage * 31u) % payload.len] ^= next(r);
    if (damage == 200 && payload.len) payload.len = next(r) % payload.len;
    say_bytes(r, t, message_row(m->type)->name, &payload);
}

static void say_anything(struct run *r, const struct talker *t)
{
    enum message_type type = (enum message_type)(next(r) % MESSAGE_TYPE_COUNT);
    size_t len = next(r) * (next(r) % 4u), left = reader_left(&r->in);
    struct buffer payload = {0};
    buffer_put_span(&payload, read_span(&r->in, len < left ? len : left));
    say_bytes(r, t, type == MESSAGE_UNKNOWN ? "whatever" : message_row(type)->name, &payload);
}

static void say_version(struct run *r, const struct talker *t, uint8_t less)
{
    static const uint64_t services[] = {NODE_NETWORK | NODE_WITNESS, NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED,
                                        NODE_WITNESS | NODE_NETWORK_LIMITED, 0};
    say(r, t,
        &(struct message){.type = MESSAGE_VERSION,
                          .as.version = {.version = PROTOCOL_VERSION - (less > 200 ? less - 200 : 0),
                                         .services = services[less / 8 % ARRAY_LEN(services)],
                                         .time = r->wall_us / 1000000 + less,
                                         .you = {.addr = netaddr_ipv4((const uint8_t[]){8, 8, 4, 4}), .port = 18444},
                                         .nonce = 7 + less,
                                         .user_agent = span_str("/fuzz/"),
                                         .start_height = BASE,
                                         .relay = less < 128}});
}

static void shake_hands(struct run *r, const struct talker *t)
{
    uint8_t how = next(r);
    say_version(r, t, how);
    if (how & 1) say(r, t, &(struct message){.type = MESSAGE_WTXIDRELAY});
    if (how & 2) say(r, t, &(struct message){.type = MESSAGE_SENDADDRV2});
    if (how & 8) say(r, t, &(struct message){.type = MESSAGE_FEATURE, .as.feature = {span_str("fuzz"), span_str("x")}});
    say(r, t, &(struct message){.type = MESSAGE_VERACK});
    if (how & 4) say(r, t, &(struct message){.type = MESSAGE_SENDHEADERS});
    if (how & 64)
        say(r, t, &(struct message){.type = MESSAGE_SENDCMPCT, .as.sendcmpct = {how >> 5 & 1, CMPCTBLOCKS_VERSION}});
}

/* COUNT headers of CHAIN above HEIGHT, as far as it goes. */
static void say_headers(struct run *r, const struct talker *t, size_t chain, int height, int count)
{
    struct message m = {.type = MESSAGE_HEADERS};
    if (count > material_length(chain) - height) count = material_length(chain) - height;
    if (count > 50 && !(r->setup & SETUP_MIN_WORK)) count = 50;
    if (count > 200 && r->long_messages++ >= LONG_MESSAGES) return; /* they take long */
    m.as.headers.headers = mem_alloc((size_t)(count + 1) * sizeof(struct block_header));
    while ((int)m.as.headers.count < count)
        m.as.headers.headers[m.as.headers.count++] = *material_header(r->material, chain, ++height);
    say_damaged(r, t, &m);
    free(m.as.headers.headers);
}

static void say_some_headers(struct run *r, const struct talker *t)
{
    static const int counts[] = {1, 2, 7, BRANCH, 9, 8, 0, MAX_HEADERS};
    uint8_t which = next(r);
    say_headers(r, t, which % CHAINS, BASE + which / CHAINS % BRANCH, counts[next(r) % ARRAY_LEN(counts)]);
}

static void say_compact(struct run *r, const struct talker *t, const struct block *b)
{
    struct arena arena = {0};
    struct message m = {.type = MESSAGE_CMPCTBLOCK};
    compact_block_make(&m.as.cmpctblock, b, next(r), &arena);
    say_damaged(r, t, &m);
    arena_clear(&arena);
}

static void say_block(struct run *r, const struct talker *t, const struct block *b)
{
    say_damaged(r, t, &(struct message){.type = MESSAGE_BLOCK, .as.raw = {b->raw}});
}

static void say_blocktxn(struct run *r, const struct talker *t, const struct block *b)
{
    say_damaged(r, t,
                &(struct message){.type = MESSAGE_BLOCKTXN, .as.blocktxn = {b->hash, b->txs, next(r) % b->tx_count}});
}

static void say_getblocktxn(struct run *r, const struct talker *t, const struct block *b)
{
    uint16_t indexes[4] = {0};
    size_t count = 1 + next(r) % (ARRAY_LEN(indexes) - 1);
    for (size_t i = 0; i < count; i++) indexes[i] = (uint16_t)(i ? indexes[i - 1] + 1 : next(r) % 4);
    say(r, t, &(struct message){.type = MESSAGE_GETBLOCKTXN, .as.getblocktxn = {b->hash, indexes, count}});
}

/* Of a branch: one that spends a coinbase, or its child; of the bad branch with parents that do not exist. */
static const struct tx *next_tx(struct run *r)
{
    const struct block *b = next_block(r);
    return &b->txs[b->tx_count - 1 - next(r) % (b->tx_count > 2 ? 2 : 1)];
}

static void say_tx(struct run *r, const struct talker *t)
{
    say_damaged(r, t, &(struct message){.type = MESSAGE_TX, .as.raw = {next_tx(r)->raw}});
}

static void say_inv(struct run *r, const struct talker *t, enum message_type type)
{
    static const uint32_t kinds[] = {INV_BLOCK, INV_WITNESS_BLOCK, INV_CMPCT_BLOCK, INV_FILTERED_BLOCK, INV_TX,
                                     INV_WTX};
    struct inv items[8];
    size_t count = next(r) % ARRAY_LEN(items);
    for (size_t i = 0; i < count; i++) {
        items[i].type = kinds[next(r) % ARRAY_LEN(kinds)];
        memcpy(items[i].hash, inv_is_tx(&items[i]) ? next_tx(r)->txid.bytes : next_block(r)->hash.bytes, 32);
    }
    say_damaged(r, t, &(struct message){.type = type, .as.inv = {items, count}});
}

static void say_locator(struct run *r, const struct talker *t, enum message_type type)
{
    struct block_hash hashes[2] = {next_block(r)->hash, next_block(r)->hash};
    say(r, t, &(struct message){.type = type, .as.locator = {PROTOCOL_VERSION, hashes, 2, {{0}}}});
}

static void say_getcfilters(struct run *r, const struct talker *t)
{
    static const enum message_type types[] = {MESSAGE_GETCFILTERS, MESSAGE_GETCFHEADERS, MESSAGE_GETCFCHECKPT};
    enum message_type type = types[next(r) % ARRAY_LEN(types)];
    uint8_t filter_type = next(r) == 255;
    uint32_t start = next(r) * (next(r) % 2u);
    say_damaged(r, t, &(struct message){.type = type, .as.getcfilters = {filter_type, start, next_block(r)->hash}});
}

static void say_addrs(struct run *r, const struct talker *t, enum message_type type)
{
    struct peer_addr addrs[12];
    size_t count = next(r) % ARRAY_LEN(addrs);
    for (size_t i = 0; i < count; i++)
        addrs[i] = (struct peer_addr){.at = next_endpoint(r),
                                      .services = NODE_NETWORK | NODE_WITNESS,
                                      .time = (uint32_t)(r->wall_us / 1000000 - next(r) * 600)};
    say_damaged(r, t, &(struct message){.type = type, .as.addr = {addrs, count}});
}

/* ---- answering honestly what we asked for ---- */

static void answer_headers(struct run *r, struct talker *t)
{
    size_t chain = next(r) % CHAINS;
    int height = 0;
    for (size_t i = 0; i < t->locator_count && !height; i++)
        height = material_height(r->material, chain, &t->locator[i]);
    t->locator_count = 0;
    say_headers(r, t, chain, height, MAX_HEADERS);
}

static void answer_wanted(struct run *r, struct talker *t)
{
    struct inv item = t->wanted[0];
    struct block_hash hash;
    memmove(t->wanted, t->wanted + 1, --t->wanted_count * sizeof(t->wanted[0]));
    memcpy(hash.bytes, item.hash, 32);
    const struct block *b = material_find(r->material, &hash);
    const struct tx *tx = inv_is_tx(&item) ? material_find_tx(r->material, item.hash) : NULL;
    if (tx)
        say(r, t, &(struct message){.type = MESSAGE_TX, .as.raw = {tx->raw}});
    else if (!b)
        say(r, t, &(struct message){.type = MESSAGE_NOTFOUND, .as.inv = {&item, 1}});
    else if (item.type == INV_CMPCT_BLOCK)
        say_compact(r, t, b);
    else
        say_block(r, t, b);
}

static void answer_missing(struct run *r, struct talker *t)
{
    const struct block *b = material_find(r->material, &t->missing);
    struct tx txs[WANTED];
    size_t count = 0;
    if (!b) return;
    for (size_t i = 0; i < t->index_count; i++)
        if (t->indexes[i] < b->tx_count) txs[count++] = b->txs[t->indexes[i]];
    t->index_count = 0;
    say_damaged(r, t, &(struct message){.type = MESSAGE_BLOCKTXN, .as.blocktxn = {b->hash, txs, count}});
}

static void answer(struct run *r, struct talker *t)
{
    if (!t) return;
    if (t->index_count)
        answer_missing(r, t);
    else if (t->wanted_count)
        answer_wanted(r, t);
    else if (t->locator_count)
        answer_headers(r, t);
    else if (t->pinged)
        say(r, t, &(struct message){.type = MESSAGE_PONG, .as.ping = {true, t->nonce}});
}

/* ---- the rest of the world ---- */

static void pass_time(struct run *r)
{
    static const int64_t leaps_us[] = {100000, 1000000, 5000000, 31000000, 121000000, 1260000000, 86400000000, 1000};
    uint8_t how = next(r);
    int64_t leap = leaps_us[how % ARRAY_LEN(leaps_us)];
    r->steady_us += leap;
    r->wall_us += how > 240 ? -leap : leap;
    node_set_clock(r->node, r->wall_us, r->steady_us);
    p2p_tick(r->node->p2p);
    (void)p2p_deadline(r->node->p2p);
    for (int i = 0; i < 8 && p2p_has_work(r->node->p2p); i++) {
        settle(r);
        p2p_tick(r->node->p2p);
    }
}

static void look(struct run *r)
{
    peer_id ids[PEERS + 1];
    struct peer_info info;
    struct p2p_totals totals;
    size_t count = p2p_peers(r->node->p2p, ids, PEERS + 1);
    CHECK(count == r->count);
    for (size_t i = 0; i < count; i++) CHECK(p2p_info(r->node->p2p, ids[i], &info) && info.id == ids[i]);
    p2p_totals(r->node->p2p, &totals);
    CHECK(p2p_memory(r->node->p2p) < MEMORY_MAX);
}

static void manage_nodes(struct run *r)
{
    static const char *const names[] = {"other.example", "9.9.9.9:1", "seed.example", "1.2.3.4"};
    struct p2p *p = r->node->p2p;
    struct added_node n;
    uint8_t how = next(r);
    const char *name = names[how % ARRAY_LEN(names)];
    if (how < 64)
        (void)p2p_add_node(p, name, false);
    else if (how < 128)
        (void)p2p_remove_node(p, name);
    else
        p2p_try_node(p, name, false);
    for (size_t i = 0; p2p_added_node(p, i, &n); i++) (void)p2p_is_dialling(p, n.node);
}

/* A user, or a miner. */
static void meddle(struct run *r)
{
    static const enum conn_type types[] = {CONN_OUTBOUND_FULL, CONN_BLOCK_RELAY, CONN_ADDR_FETCH, CONN_FEELER};
    struct p2p *p = r->node->p2p;
    struct talker *t = next_talker(r);
    peer_id id = t ? t->id : P2P_NO_PEER;
    const struct block *b = next_block(r);
    struct block_node *n = chain_find(r->node->chain, &b->hash);
    struct peer_addr anchors[2];
    struct verdict v = {0};
    struct error e;
    bool is_new;
    char at[ENDPOINT_TEXT];
    struct endpoint there;
    switch (next(r) % 15) {
    case 0: p2p_send_full(p, id, next(r) & 1); break;
    case 1: p2p_disconnect_id(p, id); break;
    case 2: p2p_set_active(p, next(r) & 1); break;
    case 3: p2p_ping_all(p); break;
    case 4:
        if (n) (void)p2p_fetch_block(p, id, n);
        break;
    case 5: (void)p2p_anchors(p, anchors, 2); break;
    case 6: p2p_mock_scheduler(p, next(r) * 60); break;
    case 7: (void)hang_up(r, id); break;
    case 8:
        node_set_importing(r->node, false);
        p2p_set_importing(p, false);
        break;
    case 9: CHECK(node_submit_block(r->node, b, &is_new, &v, &e) == RESULT_OK); break;
    case 10:
        there = next_endpoint(r);
        (void)p2p_add_connection(p, endpoint_text(at, &there), types[next(r) % ARRAY_LEN(types)], false);
        break;
    case 11: r->lazy = !r->lazy; break;
    case 12: manage_nodes(r); break;
    case 13:
        there = next_endpoint(r);
        (void)p2p_disconnect_address(p, endpoint_text(at, &there));
        break;
    default: look(r); break;
    }
}

static void say_something(struct run *r, uint8_t what)
{
    struct talker *t = next_talker(r);
    switch (what) {
    case 0: say_anything(r, t); break;
    case 1: say_version(r, t, next(r)); break;
    case 2: say(r, t, &(struct message){.type = MESSAGE_VERACK}); break;
    case 3: say_some_headers(r, t); break;
    case 4: say_block(r, t, next_block(r)); break;
    case 5: say_compact(r, t, next_block(r)); break;
    case 6: say_blocktxn(r, t, next_block(r)); break;
    case 7: say_getblocktxn(r, t, next_block(r)); break;
    case 8: say_inv(r, t, MESSAGE_INV); break;
    case 9: say_inv(r, t, MESSAGE_GETDATA); break;
    case 10: say_inv(r, t, MESSAGE_NOTFOUND); break;
    case 11: say_locator(r, t, MESSAGE_GETHEADERS); break;
    case 12: say_locator(r, t, MESSAGE_GETBLOCKS); break;
    case 13: say_addrs(r, t, MESSAGE_ADDRV2); break;
    case 14: say_addrs(r, t, MESSAGE_ADDR); break;
    case 15: say(r, t, &(struct message){.type = MESSAGE_GETADDR}); break;
    case 16:
        say(r, t, &(struct message){.type = MESSAGE_SENDCMPCT, .as.sendcmpct = {next(r) & 1, CMPCTBLOCKS_VERSION}});
        break;
    case 17: say(r, t, &(struct message){.type = MESSAGE_PING, .as.ping = {true, next(r)}}); break;
    case 18: say(r, t, &(struct message){.type = MESSAGE_SENDHEADERS}); break;
    case 19:
        if (t) shake_hands(r, t);
        break;
    case 20: answer(r, t); break;
    default: say_getcfilters(r, t); break;
    }
}

enum { SAYINGS = 22, DEEDS = 32 };

/* Many strangers at once: the slots fill, and more of them must go than are protected for one thing. */
static void crowd(struct run *r)
{
    struct endpoint at = {.port = 18444};
    uint8_t first = next(r), how = next(r);
    for (uint8_t i = 0; i < 8; i++) {
        at.addr = netaddr_ipv4((const uint8_t[]){(uint8_t)(1 + first % 100 + i % (1 + how % 8)), first, i, how});
        struct talker *t = connect_peer(r, 0, &at);
        if (t) shake_hands(r, t);
        settle(r);
    }
}

/* One answers all, one after the other. */
static void answer_all(struct run *r)
{
    for (int i = 0; i < 8 && r->count; i++) {
        answer(r, &r->talkers[0]);
        settle(r);
    }
}

static void step(struct run *r)
{
    uint8_t what = next(r) % DEEDS;
    struct endpoint at;
    struct talker *t;
    if (what < SAYINGS) {
        say_something(r, what);
    } else if (what < 26) {
        at = next_endpoint(r);
        t = connect_peer(r, 0, &at);
        if (t && what < 25) shake_hands(r, t);
    } else if (what == 26) {
        meddle(r);
    } else if (what == 27) {
        answer_all(r);
    } else if (what == 28) {
        crowd(r);
    } else if (what == 29) {
        say_tx(r, next_talker(r));
    } else {
        pass_time(r);
    }
}

/* ---- life ---- */

static void write_nothing(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                          const char *text)
{
    (void)ctx, (void)level, (void)category, (void)source;
    CHECK(strlen(text) < 100000);
}

static void open_peers(struct run *r)
{
    static const char *const names[] = {"seed.example", "1.2.3.4", "example:1"};
    struct addrman_options book = {.key_is_one = true};
    struct peer_addr fixed[2] = {{.at = {netaddr_ipv4((const uint8_t[]){5, 6, 7, 8}), 18444}, .services = 9},
                                 {.at = {netaddr_ipv4((const uint8_t[]){50, 6, 7, 8}), 18444}, .services = 9}};
    struct bans bans;
    struct random random;
    bool seeds = r->setup & SETUP_SEEDS;
    random_init_u64(&random, 5);
    bans_init(&bans, BANS_DEFAULT_S, &random);
    uint64_t services = r->setup & SETUP_UPLOAD ? NODE_COMPACT_FILTERS : 0;
    struct p2p_options o = {.services = NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED | services,
                            .subversion = "/fuzzed/",
                            .default_port = 18444,
                            .max_connections = r->setup & SETUP_FULL ? 43 : P2P_DEFAULT_CONNECTIONS,
                            .peer_timeout_s = 60,
                            .max_upload_bytes = r->setup & SETUP_UPLOAD ? 2000 : 0,
                            .blocks_only = r->setup & SETUP_BLOCKS_ONLY,
                            .network_active = true,
                            .listen = true,
                            .dns_lookup = true,
                            .dns_seed = seeds,
                            .fixed_seeds = seeds,
                            .automatic = true,
                            .advertise = true,
                            .log_ips = seeds,
                            .add_nodes = names,
                            .add_node_count = seeds ? 3 : 0,
                            .seed_nodes = names,
                            .seed_node_count = seeds ? 2 : 0,
                            .dns_seeds = names,
                            .dns_seed_count = seeds ? 1 : 0,
                            .fixed = fixed,
                            .fixed_count = seeds ? 2 : 0,
                            .anchors = fixed,
                            .anchor_count = seeds ? 2 : 0,
                            .extra_txs = 10};
    node_open_peers(r->node, &o, addrman_new(&book), &bans);
    if (!seeds) return;
    (void)local_addrs_add(p2p_local(r->node->p2p),
                          &(struct endpoint){netaddr_ipv4((const uint8_t[]){8, 8, 8, 8}), 18444}, LOCAL_MANUAL, false);
}

static void open_node(struct run *r)
{
    struct error e;
    struct node_options options = {.params = *chain_params_get(CHAIN_REGTEST), .subversion = "/f/", .version = "0"};
    options.params.headers_commitment_period = 5;
    options.params.headers_redownload_size = 60;
    options.chain = (struct chain_options){.cache_bytes = 1 << 20, .max_file_bytes = 1 << 20, .sig_cache_bytes = 1};
    r->material = material_get(&options.params, &options);
    options.chain.check_index = true;
    options.mempool = mempool_options_default();
    options.mempool.require_standard = false;
    options.mempool.check_one_in = 1;
    /* Their transactions pay next to nothing: all are taken, or all pay too little alone. */
    if (!(r->setup & SETUP_FULL)) options.mempool.min_relay = options.mempool.incremental = (struct fee_rate){0};
    if (r->setup & SETUP_MIN_WORK) options.chain.minimum_chain_work = u256_from_u64(2 * (BASE + LONG - 5));
    memory_store_clone(&r->ports.index, &r->material->ports.index, &r->fault);
    memory_store_clone(&r->ports.coins, &r->material->ports.coins, &r->fault);
    memory_files_clone(&r->ports.files, &r->material->ports.files, &r->fault);
    if (r->setup & SETUP_UPLOAD) {
        memory_store_clone(&r->filters, &r->material->filters, &r->fault);
        options.filters = r->filters;
    }
    int64_t after_s = r->setup & SETUP_LATE ? 3 * 86400 : 600 * (BRANCH + 1);
    r->wall_us = (r->material->base_time_s + after_s) * INT64_C(1000000);
    r->steady_us = 1000000;
    r->log = (struct log){.write = write_nothing, .debug_categories = UINT64_MAX, .min_debug = LOG_TRACE};
    struct log *log = r->setup & SETUP_LOG ? &r->log : NULL;
    CHECK(node_open(&r->node, &options, &r->ports, r->wall_us, log, &e) == RESULT_OK);
    if (r->setup & SETUP_IMPORT) node_set_importing(r->node, true);
    open_peers(r);
    node_set_clock(r->node, r->wall_us, r->steady_us);
    CHECK(node_activate(r->node, NULL, &e) == RESULT_OK);
}

/* A header may have been changed and still have enough work on it; what is in the block may not. */
static void check_chain(const struct run *r)
{
    const struct chain *c = r->node->chain;
    CHECK(chain_height(c) >= BASE && chain_height(c) <= BASE + BRANCH);
    for (int32_t h = BASE + 1; h <= chain_height(c); h++) {
        const uint8_t *root = chain_at(c, h)->header.merkle_root;
        bool good = false;
        for (size_t i = 0; i < BRANCHES; i++)
            good |= memcmp(root, r->material->blocks[i][h - BASE - 1]->header.merkle_root, 32) == 0 &&
                    (i < BRANCHES - 1 || h - BASE - 1 < BAD);
        CHECK(good);
    }
    chain_check_index(c);
    CHECK(addrman_check(r->node->addrman) == 0);
}

static void close_node(struct run *r)
{
    struct p2p_action a;
    r->lazy = false;
    settle(r);
    look(r);
    check_chain(r);
    while (r->count) CHECK(hang_up(r, r->talkers[0].id));
    p2p_check(r->node->p2p);
    CHECK(p2p_count(r->node->p2p, true, true) == 0);
    while (p2p_take_action(r->node->p2p, &a)) buffer_clear(&a.payload);
    node_free(r->node);
    memory_store_close(&r->ports.index);
    memory_store_close(&r->ports.coins);
    memory_files_close(&r->ports.files);
    memory_store_close(&r->filters);
    arena_clear(&r->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.in = reader_of(span_of(data, size))};
    r.setup = next(&r);
    open_node(&r);
    settle(&r);
    for (int i = 0; i < STEPS && reader_left(&r.in); i++) {
        step(&r);
        settle(&r);
    }
    close_node(&r);
    return 0;
}
