/* Automatic connections over hours of virtual time, in a world of thousands of addresses of which two in three answer:
 * how many of which sort, from distinct groups, and what the address book learns. */
#include "harness.h"
#include "p2p/dial_plan.h"

enum { WORLD = 3000, TICKS_A_SECOND = 10 };

/* Distinct groups, with services and ports of all sorts. */
static struct peer_addr nth(const struct harness *h, uint32_t n)
{
    uint8_t ip[4] = {(uint8_t)(20 + n % 60), (uint8_t)(n / 60), (uint8_t)n, 1};
    struct peer_addr a = {.at = {netaddr_ipv4(ip), 18444}, .services = NODE_NETWORK | NODE_WITNESS};
    a.time = (uint32_t)(h->wall_us / 1000000 - n);
    if (n % 10 == 7) a.services = NODE_WITNESS;
    if (n % 10 == 8) a.services = NODE_NETWORK;
    if (n % 10 == 9) a.at.port = 22;
    return a;
}

static void add(struct harness *h, const struct peer_addr *a, const char *from)
{
    struct netaddr source = harness_endpoint(from).addr;
    addrman_add(h->addrman, a, 1, &source, 0, h->wall_us / 1000000);
}

static void fill(struct harness *h, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct peer_addr a = nth(h, i);
        char from[32];
        snprintf(from, sizeof(from), "%u.%u.0.1:1", 100 + i % 20, i % 200);
        add(h, &a, from);
    }
}

static void prepare(struct harness *h)
{
    harness_prepare(h);
    h->options.automatic = true;
    h->log.debug_categories = UINT64_C(1) << LOGC_NET;
}

/* What happened in the world. */
struct world {
    unsigned dials, refused, feelers, full, block_relay, most_block_relay, most_full;
    bool mute; /* peers do not show their chain */
};

static bool answers(const struct endpoint *e)
{
    return e->addr.bytes[1] % 3 != 0;
}

static void greet(struct harness *h, peer_id id, const struct world *w)
{
    harness_handshake(h, id);
    if (!harness_peer_of(h, id) || w->mute) return;
    struct block_header genesis;
    header_node_header(&genesis, &chain_tip(h->kit.chain)->header);
    struct message m = {.type = MESSAGE_HEADERS, .as.headers = {&genesis, 1}};
    harness_say(h, id, &m);
}

static void answer_dial(struct harness *h, const struct p2p_action *a, struct world *w)
{
    w->dials++;
    if (!answers(&a->to)) {
        w->refused++;
        p2p_dial_failed(h->p, a->dial, NULL, false);
        harness_pump(h);
        return;
    }
    w->feelers += a->type == CONN_FEELER;
    w->full += a->type == CONN_OUTBOUND_FULL;
    w->block_relay += a->type == CONN_BLOCK_RELAY;
    struct p2p_connection c = {
        .dial = a->dial, .remote = a->to, .local = harness_endpoint("10.0.0.1:40000"), .transport = TRANSPORT_V1};
    peer_id id = harness_inbound_with(h, &c);
    cr_assert_neq(id, P2P_NO_PEER);
    greet(h, id, w);
}

static void answer_pings(struct harness *h)
{
    for (size_t i = h->p->peer_count; i-- > 0;) {
        struct message m;
        peer_id id = h->p->peers[i]->id;
        if (!harness_answer(h, id, MESSAGE_PING, &m)) continue;
        m.type = MESSAGE_PONG;
        harness_say(h, id, &m);
    }
}

static unsigned count(const struct harness *h, enum conn_type type)
{
    unsigned n = 0;
    for (size_t i = 0; i < h->p->peer_count; i++) n += h->p->peers[i]->type == type;
    return n;
}

static void check_groups(const struct harness *h)
{
    for (size_t i = 0; i < h->p->peer_count; i++) {
        const struct peer *a = h->p->peers[i];
        if (a->type != CONN_OUTBOUND_FULL && a->type != CONN_BLOCK_RELAY) continue;
        struct netgroup g = netaddr_group(&a->remote.addr);
        for (size_t j = 0; j < i; j++) {
            const struct peer *b = h->p->peers[j];
            struct netgroup other = netaddr_group(&b->remote.addr);
            cr_assert(b->type == CONN_FEELER || !netgroup_equal(&g, &other), "two peers of one group");
        }
    }
}

static void run(struct harness *h, struct world *w, int64_t seconds)
{
    for (int64_t i = 0; i < seconds * TICKS_A_SECOND; i++) {
        harness_ticks(h, 1);
        struct p2p_action a;
        while (harness_asked(h, P2P_DIAL, &a)) answer_dial(h, &a, w);
        answer_pings(h);
        harness_forget(h, P2P_NO_PEER);
        unsigned block_relay = count(h, CONN_BLOCK_RELAY), full = count(h, CONN_OUTBOUND_FULL);
        if (block_relay > w->most_block_relay) w->most_block_relay = block_relay;
        if (full > w->most_full) w->most_full = full;
        check_groups(h);
    }
}

Test(dial_plan, eight_and_two_of_distinct_groups_and_feelers)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 60);
    cr_assert_eq(count(&h, CONN_OUTBOUND_FULL), 8);
    cr_assert_eq(count(&h, CONN_BLOCK_RELAY), 2);
    cr_assert_leq(w.dials, 60, "half a second between two");
    run(&h, &w, 2 * 3600);
    cr_assert_leq(w.most_full, 9, "one more while the tip is stale");
    cr_assert_leq(w.most_block_relay, 3);
    cr_assert_geq(w.feelers, 15);
    cr_assert_leq(w.feelers, 100);
    /* Of those dialled, the ones that answered are tried. */
    cr_assert_geq(addrman_size(h.addrman, NET_COUNT, ADDRMAN_TRIED), 20);
    for (size_t i = 0; i < h.p->peer_count; i++) {
        const struct peer *peer = h.p->peers[i];
        struct addrman_info info;
        struct addrman_position position;
        cr_assert(addrman_find(h.addrman, &peer->remote, &info, &position));
        cr_assert(position.tried);
        cr_assert_eq(peer->remote.port, 18444);
        cr_assert_eq(info.addr.services, NODE_NETWORK | NODE_WITNESS);
    }
    harness_free(&h);
}

Test(dial_plan, replaces_who_is_gone_and_notes_when_it_was)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 60);
    const struct peer *peer = h.p->peers[0];
    cr_assert_eq(peer->type, CONN_OUTBOUND_FULL);
    struct endpoint gone = peer->remote;
    h.wall_us += INT64_C(3600000000);
    p2p_set_time(h.p, h.wall_us, h.steady_us);
    harness_hang_up(&h, peer->id);
    struct addrman_info info;
    cr_assert(addrman_find(h.addrman, &gone, &info, NULL));
    cr_assert_eq(info.addr.time, h.wall_us / 1000000);
    cr_assert_eq(count(&h, CONN_OUTBOUND_FULL), 7);
    run(&h, &w, 10);
    cr_assert_eq(count(&h, CONN_OUTBOUND_FULL), 8);
    harness_free(&h);
}

Test(dial_plan, block_relay_peers_leave_no_time)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 60);
    for (size_t i = 0; i < h.p->peer_count; i++) {
        const struct peer *peer = h.p->peers[i];
        if (peer->type != CONN_BLOCK_RELAY) continue;
        struct endpoint gone = peer->remote;
        struct addrman_info before, after;
        cr_assert(addrman_find(h.addrman, &gone, &before, NULL));
        h.wall_us += INT64_C(3600000000);
        p2p_set_time(h.p, h.wall_us, h.steady_us);
        harness_hang_up(&h, peer->id);
        cr_assert(addrman_find(h.addrman, &gone, &after, NULL));
        cr_assert_eq(before.addr.time, after.addr.time);
        break;
    }
    harness_free(&h);
}

Test(dial_plan, anchors_first)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    struct peer_addr anchors[2] = {nth(&h, 61), nth(&h, 121)};
    h.options.anchors = anchors;
    h.options.anchor_count = 2;
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 2);
    cr_assert(harness_logged(&h, "2 block-relay-only anchors will be tried for connections."));
    cr_assert_eq(count(&h, CONN_BLOCK_RELAY), 2);
    cr_assert(endpoint_equal(&h.p->peers[0]->remote, &anchors[1].at));
    cr_assert(endpoint_equal(&h.p->peers[1]->remote, &anchors[0].at));
    cr_assert(harness_logged(&h, "Trying to make an anchor connection to 21.2.121.1:18444"));
    struct peer_addr saved[2];
    cr_assert_eq(p2p_anchors(h.p, saved, 2), 2);
    cr_assert(endpoint_equal(&saved[0].at, &anchors[1].at));
    cr_assert_eq(saved[0].services, NODE_NETWORK | NODE_WITNESS);
    cr_assert_eq(p2p_anchors(h.p, saved, 1), 1);
    harness_free(&h);
}

Test(dial_plan, anchors_of_no_use_are_passed_over)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    struct peer_addr anchors[2] = {nth(&h, 61), nth(&h, 121)};
    anchors[0].services = NODE_NETWORK;
    anchors[1].at.addr = (struct netaddr){.net = NET_ONION, .bytes = {1}};
    h.options.anchors = anchors;
    h.options.anchor_count = 2;
    harness_open(&h);
    run(&h, &w, 5);
    cr_assert_eq(w.dials, 0);
    harness_free(&h);
}

Test(dial_plan, extra_block_relay_peers_rotate_once_synced)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 60);
    dial_start_extra_block_relay(h.p);
    cr_assert(dial_extra_block_relay(h.p));
    unsigned before = w.block_relay;
    run(&h, &w, 3600);
    cr_assert_eq(w.most_block_relay, 3);
    cr_assert_geq(w.block_relay - before, 3);
    cr_assert_leq(w.block_relay - before, 25);
    harness_free(&h);
}

Test(dial_plan, one_more_while_the_tip_is_stale)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 30);
    dial_set_extra_full(h.p, true);
    run(&h, &w, 5);
    cr_assert_eq(count(&h, CONN_OUTBOUND_FULL), 9, "and no more than the slots allow");
    cr_assert_eq(dial_extra_full_count(h.p), 1);
    cr_assert(harness_logged(&h, "setting try another outbound peer=true"));
    harness_free(&h);
}

Test(dial_plan, few_connections_allowed)
{
    for (unsigned most = 0; most < 11; most += 3) {
        struct harness h;
        struct world w = {0};
        prepare(&h);
        h.options.max_connections = most;
        harness_open(&h);
        fill(&h, WORLD);
        run(&h, &w, 60);
        cr_assert_eq(count(&h, CONN_OUTBOUND_FULL), most < 8 ? most : 8);
        cr_assert_eq(count(&h, CONN_BLOCK_RELAY), most < 8 ? 0 : 1);
        harness_free(&h);
    }
}

Test(dial_plan, nobody_while_the_network_is_off)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    h.options.network_active = false;
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 20);
    cr_assert_eq(w.dials, 0);
    p2p_set_active(h.p, true);
    run(&h, &w, 20);
    cr_assert_gt(w.dials, 5);
    harness_free(&h);
}

Test(dial_plan, one_from_each_network)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    h.options.networks = 1u << NET_IPV4 | 1u << NET_ONION;
    harness_open(&h);
    fill(&h, WORLD);
    run(&h, &w, 60);
    struct peer_addr a = nth(&h, 1);
    a.at.addr = (struct netaddr){.net = NET_ONION, .bytes = {5, 1}};
    add(&h, &a, "7.7.7.7:1");
    bool found = dial_count_in_network(h.p, NET_ONION) > 0;
    for (int i = 0; i < 60 && !found; i++) {
        run(&h, &w, 60);
        found = harness_logged(&h, ".onion:18444 on onion.");
    }
    cr_assert(found, "a peer in a network where we had none");
    cr_assert(harness_logged(&h, "Making network specific connection to"));
    harness_free(&h);
}

Test(dial_plan, never_outside_the_networks_in_use_or_to_ourselves)
{
    struct harness h;
    struct world w = {0};
    prepare(&h);
    h.options.networks = 1u << NET_IPV6;
    harness_open(&h);
    fill(&h, 500);
    run(&h, &w, 20);
    cr_assert_eq(w.dials, 0);
    harness_free(&h);

    prepare(&h);
    harness_open(&h);
    struct peer_addr a = nth(&h, 1);
    add(&h, &a, "7.7.7.7:1");
    struct local_addrs *l = p2p_local(h.p);
    l->reachable = ~0u;
    cr_assert(local_addrs_add(l, &a.at, LOCAL_MANUAL, true));
    run(&h, &w, 20);
    cr_assert_eq(w.dials, 0);
    harness_free(&h);
}

Test(dial_plan, services_loosen_when_the_chain_is_there)
{
    struct harness h;
    harness_new(&h);
    uint64_t limited = NODE_NETWORK_LIMITED | NODE_WITNESS;
    cr_assert_eq(dial_desirable_services(h.p, limited), limited, "twelve hours behind genesis");
    cr_assert(dial_has_desirable_services(h.p, limited));
    cr_assert_eq(dial_desirable_services(h.p, NODE_NETWORK), NODE_NETWORK | NODE_WITNESS);
    cr_assert_not(dial_has_desirable_services(h.p, NODE_NETWORK));
    harness_wait_s(&h, 12 * 3600);
    cr_assert_eq(dial_desirable_services(h.p, limited), NODE_NETWORK | NODE_WITNESS, "144 blocks of ten minutes");
    cr_assert_not(dial_has_desirable_services(h.p, limited));
    harness_free(&h);
}

Test(dial_plan, failures_count_once_we_are_surely_online)
{
    struct harness h;
    prepare(&h);
    harness_open(&h);
    struct peer_addr a = nth(&h, 1);
    add(&h, &a, "7.7.7.7:1");
    struct p2p_action dial;
    struct addrman_info info;
    harness_ticks(&h, 10);
    cr_assert(harness_asked(&h, P2P_DIAL, &dial));
    p2p_dial_failed(h.p, dial.dial, NULL, false);
    cr_assert(addrman_find(h.addrman, &a.at, &info, NULL));
    cr_assert_eq(info.attempts, 0, "with no peer at all we may be offline");
    cr_assert_eq(info.last_try_s, h.wall_us / 1000000);

    harness_peer(&h, "30.1.1.1:18444", CONN_MANUAL);
    harness_peer(&h, "31.1.1.1:18444", CONN_MANUAL);
    harness_wait_s(&h, 700);
    harness_ticks(&h, 20);
    cr_assert(harness_asked(&h, P2P_DIAL, &dial));
    cr_assert(endpoint_equal(&dial.to, &a.at));
    p2p_dial_failed(h.p, dial.dial, NULL, true);
    cr_assert(addrman_find(h.addrman, &a.at, &info, NULL));
    cr_assert_eq(info.attempts, 0, "not when a proxy failed");
    harness_ticks(&h, 20);
    cr_assert(harness_asked(&h, P2P_DIAL, &dial));
    p2p_dial_failed(h.p, dial.dial, NULL, false);
    cr_assert(addrman_find(h.addrman, &a.at, &info, NULL));
    cr_assert_eq(info.attempts, 1);
    harness_free(&h);
}

Test(dial_plan, the_same_seed_dials_the_same)
{
    struct world w[2] = {{0}, {0}};
    uint64_t sums[2] = {0, 0};
    for (int way = 0; way < 2; way++) {
        struct harness h;
        prepare(&h);
        harness_open(&h);
        fill(&h, 1000);
        run(&h, &w[way], 300);
        for (size_t i = 0; i < h.p->peer_count; i++)
            sums[way] =
                sums[way] * 31 + h.p->peers[i]->remote.addr.bytes[1] * 256u + h.p->peers[i]->remote.addr.bytes[0];
        harness_free(&h);
    }
    cr_assert_eq(sums[0], sums[1]);
    cr_assert_eq(w[0].dials, w[1].dials);
}

Test(dial_plan, exponential_has_its_average)
{
    struct harness h;
    harness_new(&h);
    double sum = 0;
    unsigned beyond = 0;
    enum { N = 100000 };
    for (int i = 0; i < N; i++) {
        int64_t us = p2p_poisson_us(h.p, 1000000);
        cr_assert_geq(us, 0);
        sum += (double)us;
        beyond += us > 2000000;
    }
    cr_assert_gt(sum / N, 985000.0);
    cr_assert_lt(sum / N, 1015000.0);
    cr_assert_gt(beyond, 13000u, "e^-2 is 0.1353");
    cr_assert_lt(beyond, 14100u);
    harness_free(&h);
}
