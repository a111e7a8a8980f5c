/* The peers of a node: life, messages in, and the pass over all peers that sends what each is owed. */
#include "p2p/p2p.h"

#include "p2p/dispatch.h"
#include "p2p/internal.h"
#include "p2p/tx_download.h"

#define TICK_US       INT64_C(100000)
#define LEAP_US       INT64_C(1000000)             /* more than clocks drift apart between two events */
#define ADDR_FETCH_US (10 * 30 * INT64_C(1000000)) /* ten of the average delays of address relay */
#define MAX_TIMEOUT_S (INT64_C(1) << 40)

/* ---- life ---- */

static void copy_options(struct p2p *p, const struct p2p_options *o)
{
    p->options = *o;
    p->subversion = mem_strdup(o->subversion ? o->subversion : "");
    p->options.subversion = p->subversion;
    if (p->options.peer_timeout_s > MAX_TIMEOUT_S) p->options.peer_timeout_s = MAX_TIMEOUT_S;
    p->whitelist_count = o->whitelist_count;
    p->whitelist = o->whitelist_count ? mem_dup(o->whitelist, o->whitelist_count * sizeof(*o->whitelist)) : NULL;
    p->local = (struct local_addrs){
        .discover = true,
        .listen = o->listen,
        .listen_port = o->default_port,
        .reachable = o->networks ? o->networks : 1u << NET_IPV4 | 1u << NET_IPV6,
    };
    p->active = o->network_active;
    random_init(&p->random, o->seed);
    p->key[0] = random_u64(&p->random);
    p->key[1] = random_u64(&p->random);
}

/* The lists are the caller's and end with its call. */
static void forget_lists(struct p2p_options *o)
{
    o->connect = o->add_nodes = o->seed_nodes = o->dns_seeds = NULL;
    o->fixed = o->anchors = NULL;
    o->whitelist = NULL;
}

struct p2p *p2p_new(const struct p2p_options *options, struct chain *chain, struct addrman *addrman, struct bans *bans,
                    struct log *log)
{
    struct p2p *p = mem_calloc(1, sizeof(*p));
    p->chain = chain;
    p->params = &chain->params;
    p->addrman = addrman;
    p->bans = bans;
    p->log = log;
    copy_options(p, options);
    log_info(log, "SetNetworkActive: %s", p->active ? "true" : "false");
    addr_relay_init(p);
    download_init(p);
    blocks_init(p);
    chain_sync_init(p);
    tx_download_init(p);
    tx_relay_init(p);
    dial_init(p, options);
    forget_lists(&p->options);
    return p;
}

void p2p_free(struct p2p *p)
{
    if (!p) return;
    while (p->peer_count) peer_free(p, p->peers[p->peer_count - 1]);
    free(p->peers);
    actions_clear(p);
    dial_clear(p);
    addr_relay_clear(p);
    download_clear(p);
    blocks_clear(p);
    announce_clear(p);
    compact_clear(p);
    tx_relay_clear(p);
    tx_download_clear(p);
    local_addrs_clear(&p->local);
    buffer_clear(&p->payload);
    arena_clear(&p->arena);
    free(p->whitelist);
    free(p->subversion);
    free(p);
}

void p2p_set_time(struct p2p *p, int64_t wall_us, int64_t steady_us)
{
    int64_t steady_step = steady_us > p->steady_us ? steady_us - p->steady_us : 0;
    /* Somebody set the wall clock: what is due by it does not wait for the next tick. */
    if (llabs(wall_us - p->wall_us - steady_step) > LEAP_US) p->wake = true;
    p->wall_us = wall_us;
    if (steady_us > p->steady_us) p->steady_us = steady_us;
}

void p2p_mock_scheduler(struct p2p *p, int64_t delta_s)
{
    p->steady_offset_us += delta_s * 1000000;
}

struct local_addrs *p2p_local(struct p2p *p)
{
    return &p->local;
}

/* Von Neumann's way, which needs no logarithm, so that it is the same on every machine: a run of falling random numbers
 * that ends after an odd count gives its first one as the fraction; each even one adds a whole unit. */
int64_t p2p_poisson_us(struct p2p *p, int64_t average_us)
{
    for (int64_t whole = 0;; whole++) {
        uint64_t first = random_u64(&p->random) >> 11, last = first;
        unsigned length = 1;
        for (uint64_t next; (next = random_u64(&p->random) >> 11) < last; last = next) length++;
        if (length & 1) return whole * average_us + (int64_t)((double)first * 0x1p-53 * (double)average_us);
    }
}

/* ---- peers ---- */

static int by_id(const void *key, const void *item)
{
    peer_id id = *(const peer_id *)key, other = (*(struct peer *const *)item)->id;
    return (id > other) - (id < other);
}

struct peer *p2p_peer(const struct p2p *p, peer_id id)
{
    if (p->peer_count == 0) return NULL;
    struct peer **found = bsearch(&id, p->peers, p->peer_count, sizeof(struct peer *), by_id);
    return found ? *found : NULL;
}

/* ---- the pass ---- */

static void check_downloads(struct p2p *p, struct peer *peer)
{
    download_check_stall(p, peer);
    if (!peer->disconnecting) headers_check_timeout(p, peer);
    if (!peer->disconnecting) chain_sync_consider(p, peer);
}

/* What PEER is owed now, in Bitcoin Core's order. */
static void send_pass(struct p2p *p, struct peer *peer)
{
    char who[PEER_LOG];
    if (peer->disconnecting || peer_judge(p, peer) || !peer_is_open(peer)) return;
    if (peer->type == CONN_ADDR_FETCH && p->wall_us - peer->connected_us > ADDR_FETCH_US) {
        log_debug(p->log, LOGC_NET, "addrfetch connection timeout, %s", peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
        return;
    }
    ping_send(p, peer);
    if (peer->disconnecting) return;
    addr_relay_send(p, peer);
    handshake_send(p, peer);
    headers_send(p, peer);
    announce_send(p, peer);
    tx_relay_send(p, peer);
    check_downloads(p, peer);
    if (peer->disconnecting) return;
    download_send(p, peer);
    tx_download_send(p, peer);
    txs_send(p, peer);
}

static bool requests_wait(const struct peer *peer)
{
    return serve_waits(&peer->serve) || filters_wait(&peer->filters);
}

/* Orphans are to be judged on behalf of the peer. */
static bool orphans_wait(const struct p2p *p, const struct peer *peer)
{
    return !peer->disconnecting && tx_download_has_work(p, peer);
}

/* Requests of the peer wait, and its send queue has room for answers. */
static bool wants_service(const struct peer *peer)
{
    return requests_wait(peer) && !peer->disconnecting && !peer->send_full;
}

/* All peers in an order that nobody can foresee, so that several connections in a row are no advantage. */
static void pass_over_all(struct p2p *p)
{
    size_t count = p->peer_count;
    if (count == 0) return;
    struct peer **order = mem_dup(p->peers, count * sizeof(*order));
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(&p->random, i);
        struct peer *peer = order[i - 1];
        order[i - 1] = order[j];
        order[j] = peer;
    }
    for (size_t i = 0; i < count; i++) {
        struct peer *peer = order[i];
        if (!peer->disconnecting) ping_check_silence(p, peer);
        if (wants_service(peer)) serve_send(p, peer);
        if (wants_service(peer)) filters_send(p, peer);
        send_pass(p, peer);
    }
    free(order);
}

void p2p_tick(struct p2p *p)
{
    p->last_tick_us = p->steady_us;
    p->wake = false;
    tx_relay_tick(p);
    pass_over_all(p);
    dial_tick(p);
    chain_sync_tick(p);
}

int64_t p2p_deadline(const struct p2p *p)
{
    int64_t soonest = dial_deadline(p), chain = chain_sync_deadline(p), tick = p->last_tick_us + TICK_US;
    if (chain < soonest) soonest = chain;
    if (p->peer_count && tick < soonest) soonest = tick;
    return soonest;
}

bool p2p_has_work(const struct p2p *p)
{
    if (p->wake || p->action_count) return true;
    for (size_t i = 0; i < p->peer_count; i++)
        if (wants_service(p->peers[i]) || orphans_wait(p, p->peers[i])) return true;
    return false;
}

/* ---- messages in ---- */

bool p2p_ready(const struct p2p *p, peer_id id, const char *name)
{
    const struct peer *peer = p2p_peer(p, id);
    if (!peer || peer->disconnecting || peer->send_full || requests_wait(peer) || orphans_wait(p, peer)) return false;
    if (peer->blocks.with_owner == 0) return true;
    /* What comes after a block may depend on it; more blocks do not. */
    return strcmp(name, message_row(MESSAGE_BLOCK)->name) == 0 && blocks_has_room(p, peer);
}

void p2p_bytes_received(struct p2p *p, peer_id id, size_t bytes)
{
    struct peer *peer = p2p_peer(p, id);
    p->bytes_received += bytes;
    if (!peer) return;
    peer->bytes_received += bytes;
    peer->bytes_ahead += bytes;
    peer->last_recv_us = p->wall_us;
}

static void account(struct p2p *p, struct peer *peer, const struct received *r)
{
    if (peer->bytes_ahead < r->wire_bytes) p2p_bytes_received(p, peer->id, r->wire_bytes - (size_t)peer->bytes_ahead);
    peer->bytes_ahead -= r->wire_bytes;
    enum message_type type = r->reject == MESSAGE_ACCEPTED ? message_type_of(r->name) : MESSAGE_UNKNOWN;
    peer->received_by_type[type] += r->wire_bytes;
}

void p2p_received(struct p2p *p, peer_id id, struct received *r)
{
    struct peer *peer = p2p_peer(p, id);
    buffer_clear(&p->payload);
    p->payload = r->payload;
    r->payload = (struct buffer){0};
    if (peer) account(p, peer, r);
    if (peer && r->reject != MESSAGE_ACCEPTED) {
        log_debug(p->log, LOGC_NET, "%s, peer=%lld", r->problem, (long long)id);
    } else if (peer && !peer->disconnecting) {
        dispatch_message(p, peer, r->name, buffer_span(&p->payload));
        send_pass(p, peer);
    }
    buffer_clear(&p->payload);
    arena_reset(&p->arena);
}
