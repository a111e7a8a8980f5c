/* The nodes of the virtual network: the same `struct node` that the daemon runs, on a virtual disk and a virtual clock;
 * what it wants done, and what happens to its machine. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "sim/internal.h"

enum { MAX_ANCHORS = 2, BLOCKS_AT_ONCE = 64, SEED_ANSWER = 32, FIXED_SEEDS = 3 };

/* In the boot of a failed dial: nobody is to blame. */
#define NO_FEELER (UINT32_C(1) << 31)

/* ---- making ---- */

struct sim_node *sim_add_node(struct sim *s)
{
    s->nodes = mem_grow(s->nodes, &s->node_cap, s->node_count + 1, sizeof(struct sim_node *));
    struct sim_node *n = s->nodes[s->node_count] = mem_calloc(1, sizeof(*n));
    unsigned i = (unsigned)s->node_count++;
    uint8_t ip[4] = {(uint8_t)(20 + i / 200), (uint8_t)(1 + i % 200), 7, (uint8_t)(1 + i % 250)};
    struct sim_host *h = sim_add_host(s, ip);
    h->node = (int32_t)i;
    n->index = i;
    n->host = h->index;
    n->sim = s;
    n->power = 1;
    n->clock.wall_base_us = SIM_WALL_START_US;
    sim_disk_open(&n->disk);
    return n;
}

void sim_node_know(struct sim_node *n, const struct sim_node *other)
{
    char text[ENDPOINT_TEXT];
    if (n == other) return;
    endpoint_text(text, &n->sim->hosts[other->host]->at);
    n->hosts_to_dial = mem_realloc(n->hosts_to_dial, n->host_count + 1, sizeof(char *));
    n->hosts_to_dial[n->host_count++] = mem_strdup(text);
}

void sim_node_clear(struct sim_node *n)
{
    if (n->node) node_free(n->node);
    n->node = NULL;
    sim_disk_close(&n->disk);
    free(n->peers);
    for (size_t i = 0; i < n->host_count; i++) free(n->hosts_to_dial[i]);
    free(n->hosts_to_dial);
    free(n);
}

static void write_log(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                      const char *text)
{
    struct sim_node *n = ctx;
    (void)level;
    (void)category;
    (void)source;
    fprintf(n->sim->options.out, "%lld.%06lld   node %u: %s\n", (long long)(n->sim->now_us / 1000000),
            (long long)(n->sim->now_us % 1000000), n->index, text);
}

int64_t sim_node_wall_us(const struct sim_node *n)
{
    return sim_clock_wall_us(&n->clock, n->sim->now_us);
}

void sim_node_set_clock(struct sim_node *n)
{
    node_set_clock(n->node, sim_node_wall_us(n), sim_clock_steady_us(&n->clock, n->sim->now_us));
}

/* ---- options ---- */

static void chain_options_fill(struct sim_node *n, struct node_options *o)
{
    struct sim *s = n->sim;
    const struct sim_swarm *w = &s->swarm;
    o->params = s->params;
    o->chain.minimum_chain_work = s->params.minimum_chain_work;
    o->chain.cache_bytes = w->coins_cache_bytes;
    o->chain.max_file_bytes = w->file_bytes;
    o->chain.sig_cache_bytes = 4096;
    o->chain.max_reorg = w->max_reorg;
    o->reorg_alarm = w->reorg_alarm;
    random_bytes(&s->random, o->chain.seed, sizeof(o->chain.seed));
    o->mempool = mempool_options_default();
    if (w->cluster_count) o->mempool.cluster_count = w->cluster_count;
    o->version = "0.1.0";
    o->subversion = "/Satoshi:31.99.0/cairn:0.1.0(sim)/";
    o->log_path = "";
}

static struct addrman *open_addrman(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct addrman_options options = {0};
    random_bytes(&s->random, options.seed, sizeof(options.seed));
    struct addrman *a = addrman_new(&options);
    const struct buffer *file = &n->disk.small[SMALL_PEERS];
    struct error e;
    if (file->len && addrman_read(a, s->params.magic, buffer_span(file), &e))
        sim_fail(s, "node %u cannot read its own address book: %s", n->index, e.text);
    return a;
}

static void open_bans(struct sim_node *n, struct bans *bans)
{
    const struct buffer *file = &n->disk.small[SMALL_BANS];
    struct error e;
    bans_init(bans, BANS_DEFAULT_S, &n->sim->random);
    if (file->len && bans_read(bans, buffer_span(file), false, NULL, &e))
        sim_fail(n->sim, "node %u cannot read its own bans: %s", n->index, e.text);
}

/* Some that are always there, for when DNS says nothing. */
static size_t fixed_seeds_fill(struct sim *s, struct peer_addr *out)
{
    struct sim_pool pool = s->seed_pool;
    size_t count = 0;
    for (; count < FIXED_SEEDS; count++) {
        uint32_t host = pool.count ? pool.first + (uint32_t)random_below(&s->random, pool.count)
                                   : s->nodes[random_below(&s->random, s->node_count)]->host;
        out[count] = (struct peer_addr){.at = s->hosts[host]->at,
                                        .services = NODE_NETWORK | NODE_WITNESS,
                                        .time = (uint32_t)(SIM_WALL_START_US / SIM_SECOND_US)};
    }
    return count;
}

static void open_peers(struct sim_node *n)
{
    static const char *const seeds[] = {"seed.sim.invalid"};
    struct sim *s = n->sim;
    bool fixed_graph = s->swarm.topology == TOPOLOGY_CONNECT && !n->discovers;
    struct p2p_options o = {.services = NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED,
                            .subversion = "/Satoshi:31.99.0/cairn:0.1.0(sim)/",
                            .default_port = SIM_PORT,
                            .max_connections = P2P_DEFAULT_CONNECTIONS,
                            .peer_timeout_s = 60,
                            .network_active = true,
                            .listen = true,
                            .dns_lookup = true,
                            .dns_seed = !fixed_graph,
                            .fixed_seeds = !fixed_graph,
                            .automatic = !fixed_graph,
                            .advertise = true,
                            .extra_txs = 100,
                            .min_relay_fee_sat = 100,
                            .networks = 1u << NET_IPV4,
                            .dns_seeds = seeds,
                            .dns_seed_count = 1};
    const char *const *hosts = (const char *const *)n->hosts_to_dial;
    if (fixed_graph) {
        o.connect = hosts;
        o.connect_count = n->host_count;
    } else {
        o.add_nodes = hosts;
        o.add_node_count = n->host_count;
    }
    struct peer_addr anchors[MAX_ANCHORS];
    struct buffer *file = &n->disk.small[SMALL_ANCHORS];
    struct error e;
    if (file->len && !n->no_anchors &&
        anchors_read(anchors, MAX_ANCHORS, &o.anchor_count, s->params.magic, buffer_span(file), &e))
        sim_fail(s, "node %u cannot read its own anchors: %s", n->index, e.text);
    o.anchors = anchors;
    buffer_clear(file);
    struct peer_addr fixed[FIXED_SEEDS];
    o.fixed = fixed;
    o.fixed_count = fixed_seeds_fill(s, fixed);
    random_bytes(&s->random, o.seed, sizeof(o.seed));
    struct bans bans;
    struct addrman *addrman = open_addrman(n);
    open_bans(n, &bans);
    node_open_peers(n->node, &o, addrman, &bans);
    struct local_addrs *local = p2p_local(n->node->p2p);
    local->discover = local->listen = true;
    local->listen_port = SIM_PORT;
    local->reachable = 1u << NET_IPV4;
    local_addrs_add(local, &s->hosts[n->host]->at, LOCAL_MANUAL, false);
}

/* ---- start and stop ---- */

void sim_node_start(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (n->node) return;
    struct node_options options = {0};
    struct chain_ports ports = sim_disk_ports(&n->disk);
    struct error e = {0};
    chain_options_fill(n, &options);
    sim_disk_set_fault(&n->disk, 0, RESULT_OK, false);
    sim_clock_boot(&n->clock, s->now_us, sim_between(s, 0, 100 * SIM_SECOND_US));
    n->boot++;
    n->log = (struct log){.write = write_log, .ctx = n, .debug_categories = UINT64_MAX, .min_debug = LOG_DEBUG};
    bool logged = s->options.log_node == (int)n->index;
    enum result r = node_open(&n->node, &options, &ports, sim_node_wall_us(n), logged ? &n->log : NULL, &e);
    sim_trace(s, "start", n->index, n->boot, (uint64_t)r);
    if (r) {
        sim_fail(s, "node %u cannot start again: %s", n->index, e.text);
        return;
    }
    s->hosts[n->host]->up = s->hosts[n->host]->listening = true;
    open_peers(n);
    if (node_activate(n->node, NULL, &e)) sim_fail(s, "node %u cannot activate its chain: %s", n->index, e.text);
    n->node->loaded = true;
    sim_at(s, s->now_us + sim_poisson_us(s, s->swarm.maintain_us), EV_MAINTAIN, n->index, n->boot, 0);
    n->tick_at_us = 0;
    sim_check_tip(n);
    sim_node_pump(n);
}

static void write_small_files(struct sim_node *n, bool anchors)
{
    struct node *node = n->node;
    struct buffer *files = n->disk.small;
    files[SMALL_PEERS].len = 0;
    addrman_write(node->addrman, n->sim->params.magic, &files[SMALL_PEERS]);
    files[SMALL_BANS].len = 0;
    bans_sweep(&node->bans, sim_node_wall_us(n) / 1000000);
    bans_write(&node->bans, &files[SMALL_BANS]);
    if (!anchors) return;
    struct peer_addr list[MAX_ANCHORS];
    size_t count = p2p_anchors(node->p2p, list, MAX_ANCHORS);
    files[SMALL_ANCHORS].len = 0;
    if (count) anchors_write(list, count, n->sim->params.magic, &files[SMALL_ANCHORS]);
}

/* The system closes the connections of a process that ends; a machine that loses power tells nobody. */
static void drop_links(struct sim_node *n, bool silently)
{
    struct sim *s = n->sim;
    for (size_t i = 0; i < s->link_count; i++) {
        struct sim_link *l = s->links[i];
        for (unsigned side = 0; side < 2 && l->used; side++) {
            if (l->side[side].host != n->host || !l->side[side].open) continue;
            if (silently) l->dead = true;
            sim_close(s, l, side, true);
        }
    }
    n->peer_count = 0;
    n->has_held = false;
}

void sim_node_stop(struct sim_node *n, enum sim_stop how)
{
    struct sim *s = n->sim;
    struct error e = {0};
    if (!n->node) return;
    sim_trace(s, "stop", n->index, how, (uint64_t)chain_height(n->node->chain));
    sim_node_set_clock(n);
    sim_check_node(n);
    s->hosts[n->host]->up = s->hosts[n->host]->listening = false;
    if (how == STOP_CLEAN) write_small_files(n, true);
    drop_links(n, how == STOP_POWER && sim_chance(s, 500));
    if (how == STOP_CLEAN) {
        if (node_close(n->node, &e) && !n->disk.fault.result)
            sim_fail(s, "node %u cannot stop cleanly: %s", n->index, e.text);
    } else {
        node_free(n->node);
    }
    n->node = NULL;
    n->tip = NULL;
    n->boot++;
    n->fatal = n->paused = n->blocks_scheduled = false;
    n->tick_at_us = 0;
    s->report->restarts++;
    if (how == STOP_POWER) sim_disk_lose_power(&n->disk, &s->random);
}

/* ---- what the node wants ---- */

static struct sim_peer_ref *find_peer(struct sim_node *n, peer_id peer)
{
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i].peer == peer) return &n->peers[i];
    return NULL;
}

static void add_peer(struct sim_node *n, peer_id peer, struct sim_link *link, unsigned side)
{
    n->peers = mem_grow(n->peers, &n->peer_cap, n->peer_count + 1, sizeof(*n->peers));
    n->peers[n->peer_count++] = (struct sim_peer_ref){.peer = peer, .link = link->index, .side = side};
    link->side[side].peer = peer;
}

static void remove_peer(struct sim_node *n, peer_id peer)
{
    struct sim_peer_ref *ref = find_peer(n, peer);
    if (!ref) return;
    size_t at = (size_t)(ref - n->peers);
    memmove(ref, ref + 1, (n->peer_count - at - 1) * sizeof(*ref));
    n->peer_count--;
}

static void act_disconnect(struct sim_node *n, peer_id peer)
{
    struct sim *s = n->sim;
    const struct sim_peer_ref *ref = find_peer(n, peer);
    if (!ref) return;
    struct sim_link *link = s->links[ref->link];
    unsigned side = ref->side;
    remove_peer(n, peer);
    sim_close(s, link, side, false);
    p2p_disconnected(n->node->p2p, peer);
}

static void act_dial(struct sim_node *n, const struct p2p_action *a)
{
    struct sim *s = n->sim;
    struct endpoint to = a->to;
    if (a->type == CONN_FEELER && n->no_feelers) { /* not the fault of whom it went to */
        sim_at(s, s->now_us + SIM_SECOND_US, EV_DIAL_FAILED, n->index, n->boot | NO_FEELER, a->dial);
        return;
    }
    if (a->host[0] && !endpoint_parse(&to, span_str(a->host), SIM_PORT)) {
        sim_at(s, s->now_us + SIM_SECOND_US, EV_DIAL_FAILED, n->index, n->boot, a->dial);
        return;
    }
    sim_dial(s, n->host, &to, a->dial, n->boot);
}

static void act_resolve(struct sim_node *n, const char *host)
{
    struct sim *s = n->sim;
    s->resolves = mem_grow(s->resolves, &s->resolve_cap, s->resolve_count + 1, sizeof(*s->resolves));
    snprintf(s->resolves[s->resolve_count].host, P2P_HOST, "%s", host);
    sim_at(s, s->now_us + sim_between(s, 10000, 3 * SIM_SECOND_US), EV_RESOLVED, n->index, n->boot, s->resolve_count++);
}

static void act(struct sim_node *n, struct p2p_action *a)
{
    struct sim *s = n->sim;
    const struct sim_peer_ref *ref;
    switch (a->kind) {
    case P2P_SEND:
        ref = find_peer(n, a->peer);
        if (ref) sim_send(s, s->links[ref->link], ref->side, a->name, &a->payload);
        break;
    case P2P_DISCONNECT: act_disconnect(n, a->peer); break;
    case P2P_DIAL: act_dial(n, a); break;
    case P2P_RESOLVE: act_resolve(n, a->host); break;
    case P2P_PAUSE: n->paused = !a->active; break;
    }
    buffer_clear(&a->payload);
}

static bool take_actions(struct sim_node *n)
{
    struct p2p_action a;
    bool any = false;
    while (p2p_take_action(n->node->p2p, &a)) {
        act(n, &a);
        any = true;
    }
    struct node_action done;
    while (node_take_action(n->node, &done)) {
        any = true;
        if (done.kind == ACTION_FATAL) n->fatal = true;
        if (n->sim->on_action) n->sim->on_action(n, &done);
    }
    return any;
}

static bool take_blocks(struct sim_node *n)
{
    bool more, any = false;
    struct error e;
    do {
        const struct block_node *tip = chain_tip(n->node->chain);
        if (node_take_blocks(n->node, BLOCKS_AT_ONCE, &more, &e)) {
            n->fatal = true;
            return true;
        }
        any |= chain_tip(n->node->chain) != tip;
    } while (more);
    return any;
}

/* Messages that the node was not ready for. */
static bool hand_in_held(struct sim_node *n)
{
    struct sim *s = n->sim;
    bool any = false, left = false;
    for (size_t i = 0; i < n->peer_count; i++) {
        struct sim_peer_ref ref = n->peers[i];
        struct sim_link *link = s->links[ref.link];
        struct sim_side *side = &link->side[ref.side];
        if (!side->has_held) continue;
        if (p2p_ready(n->node->p2p, ref.peer, side->held.name)) {
            any = true;
            sim_node_hand_in(n, link, ref.side);
            if (link->used && side->open && !side->has_held) sim_read(s, link, ref.side);
            if (i >= n->peer_count || n->peers[i].peer != ref.peer) i--; /* it is gone */
        }
        left |= side->has_held;
    }
    n->has_held = left;
    return any;
}

static void schedule_tick(struct sim_node *n)
{
    struct sim *s = n->sim;
    int64_t at = s->now_us + 1000;
    if (!p2p_has_work(n->node->p2p)) {
        int64_t due = sim_clock_true_us(&n->clock, p2p_deadline(n->node->p2p));
        /* A machine may be slower than its timers. */
        if (due < n->ticked_us + s->swarm.tick_us) due = n->ticked_us + s->swarm.tick_us;
        if (due > at) at = due;
        if (at > s->now_us + SIM_MINUTE_US) at = s->now_us + SIM_MINUTE_US;
    }
    if (n->tick_at_us && n->tick_at_us <= at) return;
    n->tick_at_us = at;
    sim_at(s, at, EV_TICK, n->index, n->boot, 0);
}

void sim_node_pump(struct sim_node *n)
{
    struct sim *s = n->sim;
    n->again = true;
    if (n->pumping || !n->node) return;
    n->pumping = true;
    while (n->again && n->node && !n->fatal && !s->report->failed) {
        n->again = false;
        if (!n->blocks_scheduled && take_blocks(n)) n->again = true;
        sim_check_tip(n);
        if (take_actions(n)) n->again = true;
        if (n->has_held && hand_in_held(n)) n->again = true;
    }
    n->pumping = false;
    if (s->report->failed) return;
    if (n->fatal) {
        /* Only a sick disk may do this. */
        if (!n->disk.fault.result) sim_fail(s, "node %u stopped on a healthy disk", n->index);
        sim_trace(s, "fatal", n->index, 0, 0);
        sim_node_stop(n, sim_chance(s, 500) ? STOP_POWER : STOP_KILLED);
        sim_at(s, s->now_us + sim_poisson_us(s, SIM_MINUTE_US), EV_START, n->index, 0, 0);
        return;
    }
    schedule_tick(n);
}

/* ---- events ---- */

void sim_node_hand_in(struct sim_node *n, struct sim_link *link, unsigned side_index)
{
    struct sim_side *side = &link->side[side_index];
    struct sim *s = n->sim;
    sim_node_set_clock(n);
    if (!p2p_ready(n->node->p2p, side->peer, side->held.name)) {
        n->has_held = true;
        return;
    }
    struct received m = side->held;
    side->held = (struct received){0};
    side->has_held = false;
    bool has_block = !strcmp(m.name, "block") || !strcmp(m.name, "blocktxn") || !strcmp(m.name, "cmpctblock");
    if (has_block && s->swarm.block_delay_us && !n->blocks_scheduled) {
        n->blocks_scheduled = true;
        sim_at(s, s->now_us + sim_between(s, 0, s->swarm.block_delay_us), EV_BLOCKS, n->index, n->boot, 0);
    }
    sim_trace_text(s, "got", n->index, m.name, (uint64_t)side->peer);
    p2p_received(n->node->p2p, side->peer, &m);
    buffer_clear(&m.payload);
    sim_node_pump(n);
}

bool sim_node_accept(struct sim_node *n, struct sim_link *link, unsigned side_index)
{
    struct sim *s = n->sim;
    struct sim_host *other = s->hosts[link->side[1 - side_index].host];
    struct p2p_connection c = {.remote = other->at, .local = s->hosts[n->host]->at, .transport = TRANSPORT_V1};
    if (n->paused) return false;
    sim_node_set_clock(n);
    uint16_t ephemeral = (uint16_t)(32768 + link->generation * 37 % 20000 + link->index % 8000);
    if (side_index == 0) {
        c.dial = link->dial;
        c.local.port = ephemeral;
    } else {
        c.remote.port = ephemeral;
    }
    peer_id peer = p2p_connected(n->node->p2p, &c);
    sim_trace(s, "connected", n->index, (uint64_t)peer, other->index);
    if (peer != P2P_NO_PEER) add_peer(n, peer, link, side_index);
    sim_node_pump(n);
    return peer != P2P_NO_PEER;
}

void sim_node_gone(struct sim_node *n, peer_id peer)
{
    if (!n->node) return;
    remove_peer(n, peer);
    sim_node_set_clock(n);
    p2p_disconnected(n->node->p2p, peer);
    sim_node_pump(n);
}

/* What a DNS seed says: some who are there, and whatever it was poisoned with. */
static void resolved(struct sim_node *n, const char *host)
{
    struct sim *s = n->sim;
    struct netaddr found[SEED_ANSWER];
    size_t count = 0, wanted = 4 + (size_t)random_below(&s->random, 9);
    if (sim_chance(s, s->recovering || s->seed_pool.count ? 0 : 100)) wanted = 0;
    struct sim_pool pool = s->seed_pool;
    if (!pool.count) pool = (struct sim_pool){.count = (uint32_t)s->host_count};
    for (; count < wanted && count < SEED_ANSWER; count++)
        found[count] = s->hosts[pool.first + random_below(&s->random, pool.count)]->at.addr;
    for (unsigned i = 0; wanted && i < s->swarm.poison && count < SEED_ANSWER; i++) {
        uint8_t ip[4] = {66, 0, 0, 1};
        random_bytes(&s->random, ip + 1, 2);
        found[count++] = netaddr_ipv4(ip);
    }
    p2p_resolved(n->node->p2p, host, found, count);
}

static void maintain(struct sim_node *n)
{
    struct error e;
    struct sim *s = n->sim;
    if (node_maintain(n->node, &e)) n->fatal = true;
    if (!n->fatal) write_small_files(n, false);
    sim_at(s, s->now_us + sim_poisson_us(s, s->swarm.maintain_us), EV_MAINTAIN, n->index, n->boot, 0);
}

static void tick(struct sim_node *n, const struct sim_event *e)
{
    if (!e->c && n->tick_at_us != e->at_us) return; /* another one was put earlier */
    if (!e->c) n->tick_at_us = 0;
    n->ticked_us = n->sim->now_us;
    p2p_tick(n->node->p2p);
}

void sim_node_on_event(struct sim *s, const struct sim_event *e)
{
    struct sim_node *n = s->nodes[e->a];
    if (e->kind == EV_START) {
        sim_node_start(n);
        return;
    }
    if (!n->node || n->boot != (e->b & ~NO_FEELER)) return;
    if (e->kind == EV_TICK && !e->c && n->tick_at_us != e->at_us) return;
    sim_node_set_clock(n);
    switch (e->kind) {
    case EV_TICK: tick(n, e); break;
    case EV_BLOCKS: n->blocks_scheduled = false; break;
    case EV_MAINTAIN: maintain(n); break;
    case EV_DIAL_FAILED: p2p_dial_failed(n->node->p2p, e->c, NULL, (e->b & NO_FEELER) != 0); break;
    case EV_RESOLVED: resolved(n, s->resolves[e->c].host); break;
    default: break;
    }
    sim_node_pump(n);
}
