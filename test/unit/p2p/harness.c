/* Peers on a regtest chain in memory, without sockets. */
#include "harness.h"

#include <stdio.h>

/* ---- life ---- */

static void write_log(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                      const char *text)
{
    struct harness *h = ctx;
    (void)level;
    (void)category;
    (void)source;
    buffer_printf(&h->log_text, "%s\n", text);
}

static void on_notice(void *arg, const struct notice *notice)
{
    struct harness *h = arg;
    if (h->pool && notice->kind == NOTICE_CONNECTED) mempool_on_connected(h->pool, notice->block, notice->node);
    if (h->pool && notice->kind == NOTICE_DISCONNECTED) mempool_on_disconnected(h->pool, notice->block);
    p2p_on_notice(h->p, notice);
}

void harness_prepare(struct harness *h)
{
    *h = (struct harness){0};
    kit_prepare(&h->kit, CHAIN_REGTEST);
    kit_stores(&h->kit);
    h->log = (struct log){.write = write_log, .ctx = h, .debug_categories = UINT64_MAX, .min_debug = LOG_DEBUG};
    h->wall_us = (INT64_C(1296688602) + 12 * 3600) * 1000000;
    h->steady_us = 5000000;
    h->kit.now_s = h->wall_us / 1000000;
    h->options = (struct p2p_options){
        .services = NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED,
        .subversion = "/harness:1.0/",
        .default_port = 18444,
        .max_connections = P2P_DEFAULT_CONNECTIONS,
        .peer_timeout_s = 60,
        .network_active = true,
        .listen = true,
        .extra_txs = 100,
        .min_relay_fee_sat = 100,
        .seed = {1, 2, 3},
    };
}

void harness_open(struct harness *h)
{
    struct random random;
    kit_open(&h->kit);
    kit_run(&h->kit);
    random_init_u64(&random, 77);
    h->addrman = addrman_new(&(struct addrman_options){.seed = {9}});
    bans_init(&h->bans, BANS_DEFAULT_S, &random);
    h->p = p2p_new(&h->options, h->kit.chain, h->addrman, &h->bans, &h->log);
    h->kit.on_notice = on_notice;
    h->kit.arg = h;
    p2p_set_time(h->p, h->wall_us, h->steady_us);
    harness_pump(h);
}

void harness_new(struct harness *h)
{
    harness_prepare(h);
    harness_open(h);
}

void harness_open_pool(struct harness *h)
{
    struct mempool_options o = mempool_options_default();
    o.require_standard = false;
    o.check_one_in = 1;
    o.seed[0] = 5;
    h->pool = mempool_new(&o, h->kit.chain, &h->log);
    mempool_set_time(h->pool, h->wall_us / 1000000);
    mempool_set_loaded(h->pool);
    p2p_set_mempool(h->p, h->pool);
}

static void drop_asked(struct harness *h)
{
    for (size_t i = 0; i < h->asked_count; i++) buffer_clear(&h->asked[i].payload);
    h->asked_count = 0;
}

void harness_free(struct harness *h)
{
    peer_id ids[HARNESS_PEERS];
    p2p_check(h->p);
    size_t count = p2p_peers(h->p, ids, HARNESS_PEERS);
    for (size_t i = 0; i < count; i++) p2p_disconnected(h->p, ids[i]);
    p2p_check(h->p);
    p2p_free(h->p);
    mempool_free(h->pool);
    harness_forget(h, P2P_NO_PEER);
    drop_asked(h);
    free(h->sent);
    free(h->asked);
    buffer_clear(&h->last_payload);
    buffer_clear(&h->log_text);
    arena_clear(&h->arena);
    addrman_free(h->addrman);
    bans_clear(&h->bans);
    kit_free(&h->kit);
}

/* ---- the owner ---- */

static void take_action(struct harness *h, struct p2p_action *a, bool *gone)
{
    switch (a->kind) {
    case P2P_SEND:
        h->sent = mem_grow(h->sent, &h->sent_cap, h->sent_count + 1, sizeof(*h->sent));
        h->sent[h->sent_count] = (struct harness_sent){.to = a->peer, .payload = a->payload};
        memcpy(h->sent[h->sent_count++].name, a->name, MESSAGE_NAME);
        p2p_sent(h->p, a->peer, a->name, a->payload.len + 24, 0);
        break;
    case P2P_DISCONNECT:
        cr_assert_lt(a->peer, HARNESS_PEERS);
        cr_assert_not(h->closed[a->peer], "peer %d was to be disconnected twice", (int)a->peer);
        h->closed[a->peer] = true;
        gone[a->peer] = true;
        break;
    default:
        h->asked = mem_grow(h->asked, &h->asked_cap, h->asked_count + 1, sizeof(*h->asked));
        h->asked[h->asked_count++] = *a;
    }
}

static void run_chain(struct harness *h, const struct block *given)
{
    struct error e = {0};
    struct block_node *old = chain_tip(h->kit.chain);
    enum result r = kit_try_run(&h->kit, given, NULL, NULL, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    if (h->pool) mempool_settle(h->pool);
    struct block_node *tip = chain_tip(h->kit.chain);
    if (tip != old) p2p_on_tip(h->p, (struct block_node *)header_fork(&old->header, &tip->header));
}

static void accept_block(struct harness *h, const struct block *block, unsigned flags, enum block_outcome *outcome,
                         struct verdict *v)
{
    struct error e = {0};
    struct block_node *node;
    bool is_new;
    enum result r = chain_accept_block(h->kit.chain, block, h->kit.now_s, flags, NULL, &node, &is_new, v, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    *outcome = !verdict_ok(v) ? BLOCK_DONE_REFUSED : is_new ? BLOCK_DONE_NEW : BLOCK_DONE_KNOWN;
    if (*outcome != BLOCK_DONE_NEW) return;
    if (node->header.prev == &chain_tip(h->kit.chain)->header) p2p_block_accepted(h->p, node, block);
    run_chain(h, block);
}

static void take_block(struct harness *h, struct p2p_block *b)
{
    struct verdict v = {0};
    enum block_outcome outcome = BLOCK_DONE_MALFORMED;
    struct block *block = block_parse(buffer_span(&b->raw));
    if (block && b->parent_known && block_is_mutated(block, b->check_witness))
        outcome = BLOCK_DONE_MUTATED;
    else if (block)
        accept_block(h, block,
                     (b->requested ? ACCEPT_REQUESTED : 0u) | (b->min_work_checked ? 0u : (unsigned)ACCEPT_LOW_WORK),
                     &outcome, &v);
    h->blocks_done[outcome]++;
    p2p_block_done(h->p, b, outcome, &v);
    buffer_clear(&b->raw);
    block_free(block);
}

void harness_pump(struct harness *h)
{
    bool gone[HARNESS_PEERS] = {false};
    struct p2p_action a;
    struct p2p_block b;
    bool more;
    do {
        more = false;
        for (; !h->hold_blocks && p2p_take_block(h->p, &b); more = true) take_block(h, &b);
        for (; p2p_take_action(h->p, &a); more = true) take_action(h, &a, gone);
        for (peer_id id = 0; id < HARNESS_PEERS; id++) {
            if (gone[id]) p2p_disconnected(h->p, id);
            gone[id] = false;
        }
    } while (more);
}

/* ---- time ---- */

void harness_wait_us(struct harness *h, int64_t us)
{
    h->wall_us += us;
    h->steady_us += us;
    h->kit.now_s = h->wall_us / 1000000;
    if (h->pool) mempool_set_time(h->pool, h->kit.now_s);
    p2p_set_time(h->p, h->wall_us, h->steady_us);
    p2p_tick(h->p);
    harness_pump(h);
}

void harness_wait_s(struct harness *h, int64_t seconds)
{
    harness_wait_us(h, seconds * 1000000);
}

void harness_ticks(struct harness *h, size_t count)
{
    while (count--) harness_wait_us(h, 100000);
}

/* ---- connections ---- */

struct endpoint harness_endpoint(const char *text)
{
    struct endpoint e;
    cr_assert(endpoint_parse(&e, span_str(text), 18444), "%s", text);
    return e;
}

peer_id harness_inbound_with(struct harness *h, const struct p2p_connection *c)
{
    peer_id id = p2p_connected(h->p, c);
    harness_pump(h);
    return id;
}

peer_id harness_inbound(struct harness *h, const char *from)
{
    struct p2p_connection c = {
        .remote = harness_endpoint(from), .local = harness_endpoint("10.0.0.1:18444"), .transport = TRANSPORT_V1};
    return harness_inbound_with(h, &c);
}

peer_id harness_answer_dial(struct harness *h, const char *at)
{
    struct p2p_action a;
    cr_assert(harness_asked(h, P2P_DIAL, &a), "nothing was dialled");
    struct p2p_connection c = {
        .dial = a.dial, .remote = a.to, .local = harness_endpoint("10.0.0.1:40000"), .transport = TRANSPORT_V1};
    if (at) c.remote = harness_endpoint(at);
    return harness_inbound_with(h, &c);
}

peer_id harness_outbound(struct harness *h, const char *to, enum conn_type type)
{
    if (type == CONN_MANUAL)
        p2p_try_node(h->p, to, false);
    else
        cr_assert(p2p_add_connection(h->p, to, type, false), "no slot for %s", to);
    harness_pump(h);
    return harness_answer_dial(h, to);
}

struct message harness_version(const struct harness *h)
{
    struct message m = {.type = MESSAGE_VERSION};
    m.as.version = (struct version_message){
        .version = PROTOCOL_VERSION,
        .services = NODE_NETWORK | NODE_WITNESS,
        .time = h->wall_us / 1000000,
        .you = harness_endpoint("8.8.4.4:18444"),
        .me.addr = netaddr_none(),
        .nonce = 12345,
        .user_agent = span_str("/other:2.0/"),
        .relay = true,
    };
    return m;
}

void harness_handshake(struct harness *h, peer_id id)
{
    struct message version = harness_version(h);
    harness_say(h, id, &version);
    harness_say_empty(h, id, MESSAGE_WTXIDRELAY);
    harness_say_empty(h, id, MESSAGE_SENDADDRV2);
    harness_say_empty(h, id, MESSAGE_VERACK);
}

peer_id harness_peer(struct harness *h, const char *at, enum conn_type type)
{
    peer_id id = type == CONN_INBOUND ? harness_inbound(h, at) : harness_outbound(h, at, type);
    cr_assert_neq(id, P2P_NO_PEER, "%s was refused", at);
    harness_handshake(h, id);
    harness_forget(h, id);
    return id;
}

void harness_hang_up(struct harness *h, peer_id id)
{
    p2p_disconnected(h->p, id);
    harness_pump(h);
}

struct peer *harness_peer_of(struct harness *h, peer_id id)
{
    return p2p_peer(h->p, id);
}

/* ---- messages ---- */

static void hand_in(struct harness *h, peer_id id, const char *name, struct buffer *payload)
{
    struct received r = {.wire_bytes = payload->len + 24, .payload = *payload};
    snprintf(r.name, sizeof(r.name), "%s", name);
    for (int i = 0; i < 100 && p2p_peer(h->p, id) && !p2p_ready(h->p, id, r.name); i++) harness_ticks(h, 1);
    p2p_received(h->p, id, &r);
    cr_assert_null(r.payload.data);
    harness_pump(h);
}

void harness_say(struct harness *h, peer_id id, const struct message *m)
{
    struct buffer payload = {0};
    message_write(&payload, m);
    hand_in(h, id, message_row(m->type)->name, &payload);
}

void harness_say_empty(struct harness *h, peer_id id, enum message_type type)
{
    harness_say_bytes(h, id, message_row(type)->name, span_of(NULL, 0));
}

void harness_say_bytes(struct harness *h, peer_id id, const char *name, struct span bytes)
{
    struct buffer payload = {0};
    buffer_put_span(&payload, bytes);
    hand_in(h, id, name, &payload);
}

static bool is_to(const struct harness_sent *s, peer_id id, enum message_type type)
{
    return s->to == id && strcmp(s->name, message_row(type)->name) == 0;
}

bool harness_answer(struct harness *h, peer_id id, enum message_type type, struct message *m)
{
    size_t i = 0;
    while (i < h->sent_count && !is_to(&h->sent[i], id, type)) i++;
    if (i == h->sent_count) return false;
    buffer_clear(&h->last_payload);
    arena_reset(&h->arena);
    h->last_payload = h->sent[i].payload;
    memmove(h->sent + i, h->sent + i + 1, (--h->sent_count - i) * sizeof(*h->sent));
    struct message unused;
    enum message_status status = message_read(m ? m : &unused, type, buffer_span(&h->last_payload), &h->arena);
    cr_assert_eq(status, MESSAGE_OK, "we sent a broken %s", message_row(type)->name);
    return true;
}

size_t harness_answers(const struct harness *h, peer_id id, enum message_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < h->sent_count; i++) count += is_to(&h->sent[i], id, type);
    return count;
}

char *harness_names(const struct harness *h, peer_id id, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < h->sent_count; i++) {
        if (h->sent[i].to != id || len >= size) continue;
        len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " " : "", h->sent[i].name);
    }
    return out;
}

void harness_forget(struct harness *h, peer_id id)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->sent_count; i++) {
        if (id == P2P_NO_PEER || h->sent[i].to == id)
            buffer_clear(&h->sent[i].payload);
        else
            h->sent[kept++] = h->sent[i];
    }
    h->sent_count = kept;
}

bool harness_asked(struct harness *h, enum p2p_action_kind kind, struct p2p_action *out)
{
    for (size_t i = 0; i < h->asked_count; i++) {
        if (h->asked[i].kind != kind) continue;
        *out = h->asked[i];
        memmove(h->asked + i, h->asked + i + 1, (--h->asked_count - i) * sizeof(*h->asked));
        return true;
    }
    return false;
}

/* ---- log ---- */

bool harness_logged(struct harness *h, const char *text)
{
    return strstr(buffer_text(&h->log_text), text) != NULL;
}

void harness_clear_log(struct harness *h)
{
    h->log_text.len = 0;
}

/* ---- blocks ---- */

void harness_feed(struct harness *h, const struct block *block)
{
    struct verdict v = {0};
    enum block_outcome outcome;
    accept_block(h, block, ACCEPT_REQUESTED, &outcome, &v);
    cr_assert_eq(outcome, BLOCK_DONE_NEW, "%s", v.reason);
    harness_pump(h);
}

struct block_node *harness_mine(struct harness *h)
{
    struct block *block = make_empty_block(&chain_tip(h->kit.chain)->header, &h->kit.params, 0);
    harness_feed(h, block);
    block_free(block);
    return chain_tip(h->kit.chain);
}

void harness_mine_many(struct harness *h, size_t count)
{
    while (count--) harness_mine(h);
}
