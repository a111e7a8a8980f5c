/* Our own addresses: scores, and which one a peer is told. The choices are those of Bitcoin Core's net_tests. */
#include "kit.h"

#include "addrman/local_addrs.h"

static const char ONION[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
static const char I2P[] = "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p";
static const char IPV4[] = "1.2.3.4";
static const char IPV6[] = "1122:3344:5566:7788:9900:aabb:ccdd:eeff";
static const char TUNNEL[] = "2002:3344:5566:7788:9900:aabb:ccdd:eeff";
static const char TEREDO[] = "2001:0:5566:7788:9900:aabb:ccdd:eeff";
static const char CJDNS[] = "fc00:3344:5566:7788:9900:aabb:ccdd:eeff";

static struct local_addrs all_networks(void)
{
    return (struct local_addrs){.discover = true, .listen = true, .listen_port = 8333, .reachable = ~0u};
}

static bool know(struct local_addrs *l, const char *text, int32_t score)
{
    struct endpoint e = service(text, 8333);
    return local_addrs_add(l, &e, score, false);
}

static struct local_peer peer_at(const char *text)
{
    struct local_peer p = {.addr = ip(text)};
    netaddr_flip_to_cjdns(&p.addr);
    return p;
}

/* What the peer at TEXT is told; "" for nothing. */
static const char *told(const struct local_addrs *l, const char *text)
{
    static char out[NETADDR_TEXT];
    struct local_peer p = peer_at(text);
    struct endpoint best = local_addrs_best(l, &p);
    cr_assert_eq(best.port, 8333);
    return netaddr_is_valid(&best.addr) ? netaddr_text(out, &best.addr) : "";
}

Test(local_addrs, one_address)
{
    struct local_addrs l = all_networks();
    cr_assert(know(&l, IPV4, LOCAL_NONE));
    const char *open[] = {IPV4, IPV6, TUNNEL, TEREDO, CJDNS};
    for (size_t i = 0; i < ARRAY_LEN(open); i++) cr_assert_str_eq(told(&l, open[i]), IPV4);
    cr_assert_str_eq(told(&l, ONION), "");
    cr_assert_str_eq(told(&l, I2P), "");
    struct local_peer through_onion = peer_at("127.0.0.1");
    through_onion.inbound_onion = true;
    struct endpoint best = local_addrs_best(&l, &through_onion);
    cr_assert(!netaddr_is_valid(&best.addr), "a peer behind our onion service must not learn it");
    l.listen = false;
    cr_assert_str_eq(told(&l, IPV4), "");
    local_addrs_clear(&l);
}

Test(local_addrs, privacy_addresses_stay_in_their_network)
{
    struct local_addrs l = all_networks();
    cr_assert(know(&l, ONION, LOCAL_NONE) && know(&l, I2P, LOCAL_NONE));
    const char *open[] = {IPV4, IPV6, TUNNEL, TEREDO, CJDNS};
    for (size_t i = 0; i < ARRAY_LEN(open); i++) cr_assert_str_eq(told(&l, open[i]), "");
    cr_assert_str_eq(told(&l, ONION), ONION);
    cr_assert_str_eq(told(&l, I2P), I2P);
    local_addrs_clear(&l);
}

Test(local_addrs, best_of_all)
{
    struct local_addrs l = all_networks();
    const char *all[] = {IPV4, IPV6, TUNNEL, TEREDO, ONION, I2P, CJDNS};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) cr_assert(know(&l, all[i], LOCAL_NONE));
    cr_assert_eq(l.count, ARRAY_LEN(all));
    for (size_t i = 1; i < l.count; i++) cr_assert_lt(netaddr_cmp(&l.items[i - 1].at.addr, &l.items[i].at.addr), 0);
    cr_assert_str_eq(told(&l, IPV4), IPV4);
    cr_assert_str_eq(told(&l, IPV6), IPV6);
    cr_assert_str_eq(told(&l, TUNNEL), IPV6);
    cr_assert_str_eq(told(&l, TEREDO), IPV4);
    cr_assert_str_eq(told(&l, ONION), ONION);
    cr_assert_str_eq(told(&l, I2P), I2P);
    cr_assert_str_eq(told(&l, CJDNS), CJDNS);
    local_addrs_clear(&l);
}

Test(local_addrs, scores_decide_among_equals)
{
    struct local_addrs l = all_networks();
    cr_assert(know(&l, "1.2.3.4", LOCAL_IF) && know(&l, "1.2.3.5", LOCAL_BIND));
    cr_assert_str_eq(told(&l, IPV4), "1.2.3.5");
    struct netaddr first = ip("1.2.3.4"), stranger = ip("9.9.9.9");
    cr_assert(local_addrs_seen(&l, &first));
    cr_assert_str_eq(told(&l, IPV4), "1.2.3.4", "the first of equals");
    cr_assert(local_addrs_seen(&l, &first));
    cr_assert_str_eq(told(&l, IPV4), "1.2.3.4", "two peers see us there");
    cr_assert(!local_addrs_seen(&l, &stranger));
    local_addrs_remove(&l, &first);
    local_addrs_remove(&l, &stranger);
    cr_assert(!local_addrs_has(&l, &first));
    cr_assert_str_eq(told(&l, IPV4), "1.2.3.5");
    local_addrs_clear(&l);
}

Test(local_addrs, what_is_taken)
{
    struct local_addrs l = all_networks();
    cr_assert(!know(&l, "10.0.0.1", LOCAL_MANUAL), "not routable");
    l.discover = false;
    cr_assert(!know(&l, "1.2.3.4", LOCAL_MAPPED));
    cr_assert(know(&l, "1.2.3.4", LOCAL_MANUAL));
    l.reachable = 1u << NET_IPV6;
    struct endpoint e = service("1.2.3.5", 8333);
    cr_assert(!local_addrs_add(&l, &e, LOCAL_MANUAL, false));
    cr_assert(local_addrs_add(&l, &e, LOCAL_MANUAL, true));
    cr_assert(!know(&l, CJDNS, LOCAL_MANUAL), "unique local IPv6 where CJDNS is not in use");
    /* Again with at least the score: one more, and the newer port. */
    l.discover = true;
    e.port = 1;
    cr_assert(local_addrs_add(&l, &e, LOCAL_IF, true));
    cr_assert(l.items[1].score == LOCAL_MANUAL && l.items[1].at.port == 8333);
    cr_assert(local_addrs_add(&l, &e, LOCAL_MANUAL, true));
    cr_assert(l.items[1].score == LOCAL_MANUAL + 1 && l.items[1].at.port == 1);
    l.items[1].score = INT32_MAX;
    struct netaddr a = e.addr;
    cr_assert(local_addrs_seen(&l, &a) && local_addrs_add(&l, &e, INT32_MAX, true));
    cr_assert_eq(l.items[1].score, INT32_MAX);
    local_addrs_clear(&l);
}

/* How many of 4000 advertisements give what the peer sees. */
static int follow_the_peer(const struct local_addrs *l, const struct local_peer *p, struct endpoint expected)
{
    struct random r;
    random_init_u64(&r, 7);
    int followed = 0;
    for (int i = 0; i < 4000; i++) {
        struct endpoint out;
        cr_assert(local_addrs_advertise(l, p, &r, &out));
        followed += endpoint_equal(&out, &expected);
    }
    return followed;
}

Test(local_addrs, advertise)
{
    struct local_addrs l = all_networks();
    struct random r;
    struct endpoint out;
    random_init_u64(&r, 1);
    struct local_peer p = peer_at("8.8.8.8");
    p.seen_us.addr = netaddr_none();
    cr_assert(!local_addrs_advertise(&l, &p, &r, &out), "nothing known");
    p.seen_us = service("5.6.7.8", 12345);
    cr_assert_eq(follow_the_peer(&l, &p, service("5.6.7.8", 8333)), 4000, "dialled: our port is our own");
    p.inbound = true;
    cr_assert_eq(follow_the_peer(&l, &p, service("5.6.7.8", 12345)), 4000);
    cr_assert(know(&l, IPV4, LOCAL_MANUAL));
    int half = follow_the_peer(&l, &p, service("5.6.7.8", 12345));
    cr_assert(half > 1850 && half < 2150, "%d", half);
    struct netaddr ours = ip(IPV4);
    cr_assert(local_addrs_seen(&l, &ours));
    int eighth = follow_the_peer(&l, &p, service("5.6.7.8", 12345));
    cr_assert(eighth > 420 && eighth < 580, "%d", eighth);
    l.discover = false;
    cr_assert_eq(follow_the_peer(&l, &p, service("5.6.7.8", 12345)), 0);
    l.discover = true;
    p.addr = ip("10.1.1.1");
    cr_assert_eq(follow_the_peer(&l, &p, service("5.6.7.8", 12345)), 0, "a peer of a private network knows nothing");
    p.addr = ip("8.8.8.8");
    l.reachable = 1u << NET_IPV6;
    cr_assert_eq(follow_the_peer(&l, &p, service("5.6.7.8", 12345)), 0, "a network not in use");
    local_addrs_clear(&l);
}
