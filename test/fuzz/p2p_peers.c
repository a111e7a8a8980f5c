/* A whole node in memory whose peers say anything: connections, handshakes, real and damaged headers, blocks and
 * compact blocks of two branches, arbitrary messages, time that jumps, sends that stall. After each step all invariants
 * of the peers are recomputed; in the end the active chain must hold nothing but blocks of the two branches. */
#include <stdio.h>

#include "addrman/addrman.h"
#include "node/peers.h"
#include "store/store.h"
#include "support/block_maker.h"
#include "wire/messages.h"

enum { BRANCH = 12, BRANCHES = 2, OWN = 3, FORK = 5, PEERS = 12, STEPS = 120, EPOCH_S = 1296688602 + 86400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once: two branches from genesis that part after FORK blocks. */
struct material {
    struct block *blocks[BRANCHES][BRANCH];
};

struct run {
    struct reader in;
    struct node *node;
    struct memory_fault fault;
    struct chain_ports ports;
    struct chain_params params;
    peer_id peers[PEERS];
    size_t peer_count;
    int64_t wall_us, steady_us;
    const struct material *material;
};

static const struct material *material(void)
{
    static struct material m;
    static struct header_node nodes[BRANCHES][BRANCH];
    static struct header_node genesis;
    if (m.blocks[0][0]) return &m;
    const struct chain_params *p = chain_params_get(CHAIN_REGTEST);
    struct block *first = block_parse(p->genesis_raw);
    CHECK(first);
    genesis = (struct header_node){.hash = first->hash, .time = first->header.time, .bits = first->header.bits};
    block_free(first);
    for (int branch = 0; branch < BRANCHES; branch++) {
        const struct header_node *prev = &genesis;
        for (int i = 0; i < BRANCH; i++) {
            struct block *b = make_empty_block(prev, p, i < FORK ? 1 : 1 + (uint32_t)branch);
            m.blocks[branch][i] = b;
            nodes[branch][i] = (struct header_node){
                .hash = b->hash, .prev = prev, .height = i + 1, .time = b->header.time, .bits = b->header.bits};
            prev = &nodes[branch][i];
        }
    }
    return &m;
}

static uint8_t next(struct run *r)
{
    return reader_left(&r->in) ? read_u8(&r->in) : 0;
}

static const struct block *next_block(struct run *r)
{
    uint8_t which = next(r);
    return r->material->blocks[which & 1][(which >> 1) % BRANCH];
}

static struct endpoint next_endpoint(struct run *r)
{
    uint8_t ip[4] = {(uint8_t)(1 + next(r) % 100), next(r), 3, 4};
    return (struct endpoint){.addr = netaddr_ipv4(ip), .port = 18444};
}

/* ---- what the owner does ---- */

static void forget(struct run *r, peer_id id)
{
    for (size_t i = 0; i < r->peer_count; i++)
        if (r->peers[i] == id) r->peers[i--] = r->peers[--r->peer_count];
}

static void connect_peer(struct run *r, uint64_t dial, const struct endpoint *at)
{
    struct p2p_connection c = {.dial = dial, .remote = *at, .transport = TRANSPORT_V1};
    if (!dial) c.permissions = next(r) & PERM_ALL;
    peer_id id = p2p_connected(r->node->p2p, &c);
    if (id == P2P_NO_PEER) return;
    if (r->peer_count == PEERS) {
        p2p_disconnected(r->node->p2p, id);
        return;
    }
    r->peers[r->peer_count++] = id;
}

static void take_action(struct run *r, struct p2p_action *a)
{
    switch (a->kind) {
    case P2P_SEND:
        p2p_sent(r->node->p2p, a->peer, a->name, 24 + a->payload.len, 0);
        buffer_clear(&a->payload);
        break;
    case P2P_DISCONNECT:
        forget(r, a->peer);
        p2p_disconnected(r->node->p2p, a->peer);
        break;
    case P2P_DIAL:
        if (!a->host[0] && next(r) % 3)
            connect_peer(r, a->dial, &a->to);
        else
            p2p_dial_failed(r->node->p2p, a->dial, NULL, false);
        break;
    case P2P_RESOLVE: p2p_resolved(r->node->p2p, a->host, NULL, 0); break;
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
        CHECK(node_take_blocks(r->node, 4, &more, &e) == RESULT_OK);
    }
    while (p2p_take_action(r->node->p2p, &a)) take_action(r, &a);
    p2p_check(r->node->p2p);
}

/* ---- steps ---- */

/* PAYLOAD is taken. */
static void say_bytes(struct run *r, const char *name, struct buffer *payload)
{
    if (!r->peer_count) {
        buffer_clear(payload);
        return;
    }
    peer_id id = r->peers[next(r) % r->peer_count];
    struct received m = {.payload = *payload, .wire_bytes = 24 + payload->len};
    snprintf(m.name, sizeof(m.name), "%s", name);
    if (p2p_ready(r->node->p2p, id, m.name))
        p2p_received(r->node->p2p, id, &m);
    else
        buffer_clear(&m.payload);
}

static void say(struct run *r, const struct message *m)
{
    struct buffer payload = {0};
    message_write(&payload, m);
    uint8_t damage = next(r);
    if (damage > 200 && payload.len) payload.data[(damage * 31u) % payload.len] ^= next(r);
    say_bytes(r, message_row(m->type)->name, &payload);
}

static void say_anything(struct run *r)
{
    enum message_type type = (enum message_type)(next(r) % MESSAGE_TYPE_COUNT);
    size_t len = next(r) * (next(r) % 4u), left = reader_left(&r->in);
    struct buffer payload = {0};
    buffer_put_span(&payload, read_span(&r->in, len < left ? len : left));
    say_bytes(r, type == MESSAGE_UNKNOWN ? "whatever" : message_row(type)->name, &payload);
}

static void say_version(struct run *r)
{
    uint64_t services = NODE_NETWORK | NODE_WITNESS | next(r);
    say(r, &(struct message){.type = MESSAGE_VERSION,
                             .as.version = {.version = PROTOCOL_VERSION - next(r) % 4,
                                            .services = services,
                                            .time = r->wall_us / 1000000,
                                            .nonce = 7,
                                            .user_agent = span_str("/fuzz/"),
                                            .start_height = next(r),
                                            .relay = true}});
}

static void say_headers(struct run *r)
{
    uint8_t which = next(r);
    size_t from = (which >> 1) % BRANCH, count = next(r) % (BRANCH + 1);
    struct block_header headers[BRANCH];
    if (from + count > BRANCH) count = BRANCH - from;
    for (size_t i = 0; i < count; i++) headers[i] = r->material->blocks[which & 1][from + i]->header;
    say(r, &(struct message){.type = MESSAGE_HEADERS, .as.headers = {headers, count}});
}

static void say_compact(struct run *r)
{
    struct arena arena = {0};
    struct message m = {.type = MESSAGE_CMPCTBLOCK};
    compact_block_make(&m.as.cmpctblock, next_block(r), next(r), &arena);
    say(r, &m);
    arena_clear(&arena);
}

static void say_blocktxn(struct run *r)
{
    const struct block *b = next_block(r);
    say(r, &(struct message){.type = MESSAGE_BLOCKTXN, .as.blocktxn = {b->hash, b->txs, next(r) % 2}});
}

static void say_inv(struct run *r, enum message_type type)
{
    static const uint32_t kinds[] = {INV_BLOCK, INV_WITNESS_BLOCK, INV_CMPCT_BLOCK, INV_FILTERED_BLOCK, INV_TX,
                                     INV_WTX};
    struct inv items[8];
    size_t count = next(r) % ARRAY_LEN(items);
    for (size_t i = 0; i < count; i++) {
        items[i].type = kinds[next(r) % ARRAY_LEN(kinds)];
        memcpy(items[i].hash, next_block(r)->hash.bytes, 32);
    }
    say(r, &(struct message){.type = type, .as.inv = {items, count}});
}

static void say_locator(struct run *r, enum message_type type)
{
    struct block_hash hashes[2] = {next_block(r)->hash, next_block(r)->hash};
    say(r, &(struct message){.type = type, .as.locator = {PROTOCOL_VERSION, hashes, 2, {{0}}}});
}

static void say_block(struct run *r)
{
    const struct block *b = next_block(r);
    say(r, &(struct message){.type = MESSAGE_BLOCK, .as.raw = {b->raw}});
}

static void say_addrs(struct run *r)
{
    struct peer_addr addrs[12];
    size_t count = next(r) % ARRAY_LEN(addrs);
    for (size_t i = 0; i < count; i++)
        addrs[i] = (struct peer_addr){.at = next_endpoint(r),
                                      .services = NODE_NETWORK | NODE_WITNESS,
                                      .time = (uint32_t)(r->wall_us / 1000000 - next(r) * 600)};
    say(r, &(struct message){.type = MESSAGE_ADDRV2, .as.addr = {addrs, count}});
}

static void pass_time(struct run *r)
{
    static const int64_t leaps_us[] = {1000, 100000, 1000000, 30000000, 600000000, 86400000000};
    int64_t leap = leaps_us[next(r) % ARRAY_LEN(leaps_us)];
    uint8_t wall = next(r);
    r->steady_us += leap;
    r->wall_us += wall == 255 ? -leap : leap;
    node_set_clock(r->node, r->wall_us, r->steady_us);
    p2p_tick(r->node->p2p);
}

static void meddle(struct run *r)
{
    struct p2p *p = r->node->p2p;
    peer_id id = r->peer_count ? r->peers[next(r) % r->peer_count] : 0;
    struct block_node *n = chain_find(r->node->chain, &next_block(r)->hash);
    struct peer_addr anchors[2];
    switch (next(r) % 8) {
    case 0: p2p_send_full(p, id, next(r) & 1); break;
    case 1: p2p_disconnect_id(p, id); break;
    case 2: p2p_set_active(p, next(r) & 1); break;
    case 3: p2p_ping_all(p); break;
    case 4:
        if (n) (void)p2p_fetch_block(p, id, n);
        break;
    case 5: (void)p2p_anchors(p, anchors, 2); break;
    case 6: p2p_mock_scheduler(p, next(r) * 60); break;
    case 7:
        forget(r, id);
        if (p2p_peers(p, &id, 1)) {
            forget(r, id);
            p2p_disconnected(p, id);
        }
        break;
    }
}

static void step(struct run *r)
{
    struct endpoint at;
    switch (next(r) % 17) {
    case 0:
    case 1:
        at = next_endpoint(r);
        connect_peer(r, 0, &at);
        break;
    case 2: say_anything(r); break;
    case 3: say_version(r); break;
    case 4: say(r, &(struct message){.type = MESSAGE_VERACK}); break;
    case 5: say_headers(r); break;
    case 6: say_block(r); break;
    case 7: say_compact(r); break;
    case 8: say_blocktxn(r); break;
    case 9: say_inv(r, MESSAGE_INV); break;
    case 10: say_inv(r, MESSAGE_GETDATA); break;
    case 11: say_locator(r, MESSAGE_GETHEADERS); break;
    case 12: say_locator(r, MESSAGE_GETBLOCKS); break;
    case 13: say_addrs(r); break;
    case 14:
        say(r, &(struct message){.type = MESSAGE_SENDCMPCT, .as.sendcmpct = {next(r) & 1, CMPCTBLOCKS_VERSION}});
        break;
    case 15: meddle(r); break;
    default: pass_time(r); break;
    }
}

/* ---- life ---- */

static void open_node(struct run *r)
{
    struct error e;
    struct addrman_options book = {.key_is_one = true};
    struct bans bans;
    struct random random;
    r->params = *chain_params_get(CHAIN_REGTEST);
    memory_store_open(&r->ports.index, &r->fault);
    memory_store_open(&r->ports.coins, &r->fault);
    memory_files_open(&r->ports.files, &r->fault);
    struct node_options options = {.params = r->params, .subversion = "/fuzzed/", .version = "0"};
    options.chain = (struct chain_options){
        .cache_bytes = 1 << 20, .max_file_bytes = 1 << 16, .sig_cache_bytes = 1 << 16, .check_index = true};
    CHECK(node_open(&r->node, &options, &r->ports, r->wall_us, NULL, &e) == RESULT_OK);
    random_init_u64(&random, 5);
    bans_init(&bans, BANS_DEFAULT_S, &random);
    struct p2p_options p2p = {.services = NODE_NETWORK | NODE_WITNESS,
                              .subversion = "/fuzzed/",
                              .default_port = 18444,
                              .max_connections = P2P_DEFAULT_CONNECTIONS,
                              .peer_timeout_s = 60,
                              .network_active = true,
                              .listen = true,
                              .automatic = true,
                              .extra_txs = 10};
    node_open_peers(r->node, &p2p, addrman_new(&book), &bans);
    node_set_clock(r->node, r->wall_us, r->steady_us);
    CHECK(node_activate(r->node, NULL, &e) == RESULT_OK);
    for (int i = 0; i < OWN; i++) {
        bool is_new;
        struct verdict v = {0};
        CHECK(node_submit_block(r->node, r->material->blocks[0][i], &is_new, &v, &e) == RESULT_OK && verdict_ok(&v));
    }
}

static void close_node(struct run *r)
{
    const struct chain *c = r->node->chain;
    CHECK(chain_height(c) >= OWN && chain_height(c) <= BRANCH);
    for (int32_t h = 1; h <= chain_height(c); h++) {
        const struct block_hash *hash = &chain_at(c, h)->header.hash;
        CHECK(block_hash_equal(hash, &r->material->blocks[0][h - 1]->hash) ||
              block_hash_equal(hash, &r->material->blocks[1][h - 1]->hash));
    }
    chain_check_index(c);
    CHECK(addrman_check(r->node->addrman) == 0);
    node_free(r->node);
    memory_store_close(&r->ports.index);
    memory_store_close(&r->ports.coins);
    memory_files_close(&r->ports.files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.in = reader_of(span_of(data, size)),
                    .wall_us = EPOCH_S * INT64_C(1000000),
                    .steady_us = 1000000,
                    .material = material()};
    open_node(&r);
    settle(&r);
    for (int i = 0; i < STEPS && reader_left(&r.in); i++) {
        step(&r);
        settle(&r);
    }
    close_node(&r);
    return 0;
}
