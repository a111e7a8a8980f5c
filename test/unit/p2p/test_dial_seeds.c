/* Where addresses come from when there are none: the order of seed nodes, DNS seeds and fixed seeds, and when each is
 * left alone. */
#include "harness.h"
#include "p2p/dial_plan.h"
#include "p2p/fixed_seeds.h"

static const char *const SEEDS[] = {"a.seed.example", "b.seed.example", "c.seed.example", "d.seed.example",
                                    "e.seed.example"};
static const char *const NODES[] = {"25.0.0.1"};

static void prepare(struct harness *h)
{
    harness_prepare(h);
    h->options.automatic = true;
    h->options.dns_lookup = true;
    h->options.dns_seed = true;
    h->options.fixed_seeds = true;
    h->options.dns_seeds = SEEDS;
    h->options.dns_seed_count = ARRAY_LEN(SEEDS);
}

static void add(struct harness *h, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t ip[4] = {(uint8_t)(20 + i % 60), (uint8_t)(i / 60), 1, 1};
        struct peer_addr a = {.at = {netaddr_ipv4(ip), 18444}, .services = NODE_NETWORK};
        a.time = (uint32_t)(h->wall_us / 1000000);
        addrman_add(h->addrman, &a, 1, &a.at.addr, 0, h->wall_us / 1000000);
    }
}

/* Seconds; dials fail. Returns how many names are to be resolved now. */
static unsigned run(struct harness *h, int64_t seconds)
{
    struct p2p_action a;
    for (int64_t i = 0; i < seconds * 10; i++) {
        harness_ticks(h, 1);
        while (harness_asked(h, P2P_DIAL, &a)) p2p_dial_failed(h->p, a.dial, NULL, false);
        harness_pump(h);
    }
    unsigned names = 0;
    for (size_t i = 0; i < h->asked_count; i++) names += h->asked[i].kind == P2P_RESOLVE;
    return names;
}

static void resolve(struct harness *h, size_t count)
{
    struct p2p_action a;
    cr_assert(harness_asked(h, P2P_RESOLVE, &a));
    struct netaddr found[40];
    for (size_t i = 0; i < count; i++) {
        uint8_t ip[4] = {(uint8_t)(60 + i), (uint8_t)a.host[3], 1, 1};
        found[i] = netaddr_ipv4(ip);
    }
    p2p_resolved(h->p, a.host, found, count);
    harness_pump(h);
}

static void two_peers(struct harness *h, enum conn_type type)
{
    harness_peer(h, "30.1.1.1:18444", type);
    harness_peer(h, "31.1.1.1:18444", type);
}

Test(dns_seeds, all_at_once_with_an_empty_book)
{
    struct harness h;
    prepare(&h);
    harness_open(&h);
    for (size_t i = 0; i < ARRAY_LEN(SEEDS); i++) {
        cr_assert_eq(run(&h, 1), 1, "one after the other");
        resolve(&h, 0);
    }
    cr_assert_eq(run(&h, 1), 0);
    cr_assert(harness_logged(&h, "Loading addresses from DNS seed a.seed.example"));
    cr_assert(harness_logged(&h, "Loading addresses from DNS seed e.seed.example"));
    cr_assert(harness_logged(&h, "0 addresses found from DNS seeds"));
    cr_assert(harness_logged(&h, "(addr-fetch) to a.seed.example"), "whom the plain name leads to is asked");
    harness_free(&h);
}

Test(dns_seeds, answers_go_to_the_address_book)
{
    struct harness h;
    prepare(&h);
    harness_open(&h);
    run(&h, 1);
    struct p2p_action a;
    cr_assert(harness_asked(&h, P2P_RESOLVE, &a));
    cr_assert_eq(strncmp(a.host, "x9.", 3), 0, "with the services that we want");
    struct netaddr found[40];
    for (uint8_t i = 0; i < 40; i++) found[i] = netaddr_ipv4((uint8_t[4]){(uint8_t)(60 + i), i, 1, 1});
    p2p_resolved(h.p, "another.name", found, 40);
    cr_assert_eq(addrman_size(h.addrman, NET_COUNT, ADDRMAN_BOTH), 0);
    p2p_resolved(h.p, a.host, found, 40);
    size_t known = addrman_size(h.addrman, NET_COUNT, ADDRMAN_BOTH);
    cr_assert_gt(known, 25);
    cr_assert_leq(known, 32, "at most so many of one seed");
    struct addrman_info info;
    cr_assert(addrman_find(h.addrman, &(struct endpoint){found[0], 18444}, &info, NULL));
    int64_t age_s = h.wall_us / 1000000 - info.addr.time;
    cr_assert(age_s >= 3 * 86400 && age_s <= 7 * 86400);
    cr_assert_eq(info.addr.services, NODE_NETWORK | NODE_WITNESS);
    cr_assert_eq(info.source.net, NET_INTERNAL);
    harness_free(&h);
}

Test(dns_seeds, three_after_eleven_seconds_with_some_addresses)
{
    struct harness h;
    prepare(&h);
    harness_open(&h);
    add(&h, 5);
    cr_assert_eq(run(&h, 10), 0);
    cr_assert(harness_logged(&h, "Waiting 11 seconds before querying DNS seeds."));
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(run(&h, 2), 1);
        resolve(&h, 1);
    }
    cr_assert_eq(run(&h, 9), 0, "then eleven seconds again");
    cr_assert_eq(run(&h, 3), 1);
    harness_free(&h);
}

Test(dns_seeds, five_minutes_with_many_addresses)
{
    struct harness h;
    prepare(&h);
    harness_open(&h);
    add(&h, 4000);
    cr_assert_geq(addrman_size(h.addrman, NET_COUNT, ADDRMAN_BOTH), 1000);
    cr_assert_eq(run(&h, 299), 0);
    cr_assert(harness_logged(&h, "Waiting 300 seconds before querying DNS seeds."));
    cr_assert_eq(run(&h, 2), 1);
    harness_free(&h);
}

Test(dns_seeds, skipped_with_two_full_peers_but_not_with_block_relay_ones)
{
    struct harness h;
    prepare(&h);
    harness_open(&h);
    add(&h, 5);
    two_peers(&h, CONN_OUTBOUND_FULL);
    cr_assert_eq(run(&h, 12), 0);
    cr_assert(harness_logged(&h, "P2P peers available. Skipped DNS seeding."));
    harness_free(&h);

    prepare(&h);
    harness_open(&h);
    add(&h, 5);
    two_peers(&h, CONN_BLOCK_RELAY);
    cr_assert_eq(run(&h, 12), 1);
    harness_free(&h);
}

Test(dns_seeds, forced_or_off)
{
    struct harness h;
    prepare(&h);
    h.options.force_dns_seed = true;
    harness_open(&h);
    add(&h, 5);
    cr_assert_eq(run(&h, 1), 1);
    harness_free(&h);

    prepare(&h);
    h.options.dns_seed = false;
    harness_open(&h);
    cr_assert_eq(run(&h, 400), 0);
    cr_assert(harness_logged(&h, "DNS seeding disabled"));
    harness_free(&h);
}

Test(dns_seeds, wait_for_the_network)
{
    struct harness h;
    prepare(&h);
    h.options.network_active = false;
    harness_open(&h);
    cr_assert_eq(run(&h, 5), 0);
    cr_assert(harness_logged(&h, "Waiting for network to be reactivated before querying DNS seeds."));
    p2p_set_active(h.p, true);
    cr_assert_eq(run(&h, 2), 1);
    harness_free(&h);
}

Test(seed_nodes, at_once_with_an_empty_book_and_before_dns)
{
    struct harness h;
    prepare(&h);
    h.options.seed_nodes = NODES;
    h.options.seed_node_count = 1;
    harness_open(&h);
    cr_assert_eq(run(&h, 1), 0);
    cr_assert(harness_logged(&h, "Empty addrman, adding seednode (25.0.0.1) to addrfetch"));
    cr_assert(harness_logged(&h, "(addr-fetch) to 25.0.0.1"));
    cr_assert(harness_logged(&h, "-seednode enabled. Trying the provided seeds for 30 seconds before defaulting to the "
                                 "dnsseeds."));
    cr_assert_eq(run(&h, 28), 0);
    cr_assert_eq(run(&h, 3), 1);
    cr_assert(harness_logged(&h, "Couldn't connect to enough peers via seed nodes. Handing fetch logic to the DNS "
                                 "seeds."));
    harness_free(&h);
}

Test(seed_nodes, after_ten_seconds_where_the_book_does_not_do)
{
    struct harness h;
    prepare(&h);
    h.options.seed_nodes = NODES;
    h.options.seed_node_count = 1;
    harness_open(&h);
    add(&h, 10);
    run(&h, 9);
    cr_assert_not(harness_logged(&h, "adding seednode"));
    run(&h, 3);
    cr_assert(harness_logged(&h, "Couldn't connect to peers from addrman after 10 seconds. Adding seednode (25.0.0.1) "
                                 "to addrfetch"));
    harness_free(&h);
}

Test(seed_nodes, enough_peers_end_the_search)
{
    struct harness h;
    prepare(&h);
    h.options.seed_nodes = NODES;
    h.options.seed_node_count = 1;
    harness_open(&h);
    add(&h, 10);
    two_peers(&h, CONN_OUTBOUND_FULL);
    cr_assert_eq(run(&h, 60), 0);
    cr_assert(harness_logged(&h, "P2P peers available. Finished fetching data from seed nodes."));
    cr_assert(harness_logged(&h, "Skipping DNS seeds. Enough peers have been found"));
    cr_assert_not(harness_logged(&h, "adding seednode"));
    harness_free(&h);
}

static const struct peer_addr FIXED[] = {
    {.at = {{.net = NET_IPV4, .bytes = {70, 1, 1, 1}}, 18444}},
    {.at = {{.net = NET_IPV4, .bytes = {71, 1, 1, 1}}, 18444}},
    {.at = {{.net = NET_ONION, .bytes = {1}}, 18444}},
};

static void with_fixed(struct harness *h)
{
    prepare(h);
    h->options.fixed = FIXED;
    h->options.fixed_count = ARRAY_LEN(FIXED);
}

Test(fixed_seeds, after_a_minute_without_addresses)
{
    struct harness h;
    with_fixed(&h);
    harness_open(&h);
    run(&h, 58);
    cr_assert_eq(addrman_size(h.addrman, NET_COUNT, ADDRMAN_BOTH), 0);
    run(&h, 6);
    cr_assert(harness_logged(&h, "Adding fixed seeds as 60 seconds have passed and addrman is empty for at least one "
                                 "reachable network"));
    cr_assert(harness_logged(&h, "Added 2 fixed seeds from reachable networks."));
    struct addrman_info info;
    cr_assert(addrman_find(h.addrman, &FIXED[0].at, &info, NULL));
    int64_t age_s = h.wall_us / 1000000 - info.addr.time;
    cr_assert(age_s >= 7 * 86400 && age_s <= 14 * 86400 + 60);
    harness_free(&h);
}

Test(fixed_seeds, at_once_where_nothing_else_is_allowed)
{
    struct harness h;
    with_fixed(&h);
    h.options.dns_seed = false;
    harness_open(&h);
    run(&h, 1);
    cr_assert(harness_logged(&h,
                             "Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled via -onlynet) "
                             "and neither -addnode nor -seednode are provided"));
    harness_free(&h);
    static const char *const node[] = {"40.1.1.1"};
    with_fixed(&h);
    h.options.dns_seed = false;
    h.options.add_nodes = node;
    h.options.add_node_count = 1;
    harness_open(&h);
    run(&h, 2);
    cr_assert_not(harness_logged(&h, "fixed seeds"));
    harness_free(&h);
}

Test(fixed_seeds, never_where_every_network_has_addresses_or_they_are_off)
{
    struct harness h;
    with_fixed(&h);
    h.options.networks = 1u << NET_IPV4;
    harness_open(&h);
    add(&h, 1);
    run(&h, 100);
    cr_assert_not(harness_logged(&h, "fixed seeds"));
    harness_free(&h);
    with_fixed(&h);
    h.options.fixed_seeds = false;
    harness_open(&h);
    run(&h, 100);
    cr_assert(harness_logged(&h, "Fixed seeds are disabled"));
    cr_assert_eq(addrman_size(h.addrman, NET_COUNT, ADDRMAN_BOTH), 0);
    harness_free(&h);
}

Test(fixed_seeds, read_from_their_list)
{
    static const uint8_t list[] = {1,  4,  70, 1,  1,  1,  32, 141, /* IPv4 */
                                   1,  4,  10, 1,  1,  1,  32, 141, /* which is not routable */
                                   4,  32, 1,  2,  3,  4,  5,  6,   7,  8,  9,  10, 11, 12, 13, 14,  15, 16, 17, 18,
                                   19, 20, 21, 22, 23, 24, 25, 26,  27, 28, 29, 30, 31, 32, 32, 141, 1,  4,  71};
    struct peer_addr *out;
    cr_assert_eq(fixed_seeds_read(span_of(list, sizeof(list)), &out), 2);
    char text[ENDPOINT_TEXT];
    cr_assert_str_eq(endpoint_text(text, &out[0].at), "70.1.1.1:8333");
    cr_assert_eq(out[0].services, NODE_NETWORK | NODE_WITNESS);
    cr_assert_eq(out[1].at.addr.net, NET_ONION);
    free(out);
    cr_assert_eq(fixed_seeds(CHAIN_REGTEST, &out), 0);
    cr_assert_null(out);
}
