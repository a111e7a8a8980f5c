/* The answers to getaddr: the same for most of a day, and not the same on another socket or for another network. */
#include "harness.h"

enum { KNOWN = 6000 };

/* Without our own address in what they are told. */
static void quiet(struct harness *h)
{
    harness_prepare(h);
    h->options.listen = false;
    harness_open(h);
}

static void fill(struct harness *h, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t ip[4] = {(uint8_t)(20 + i % 100), (uint8_t)(i / 100), 1, 1},
                from[4] = {(uint8_t)(20 + i % 100), 1, 1, 1};
        struct peer_addr a = {.at = {netaddr_ipv4(ip), 8333}, .services = NODE_NETWORK};
        a.time = (uint32_t)(h->wall_us / 1000000);
        struct netaddr source = netaddr_ipv4(from);
        addrman_add(h->addrman, &a, 1, &source, 0, h->wall_us / 1000000);
    }
}

static peer_id inbound(struct harness *h, const char *from, const char *socket, bool onion, unsigned permissions)
{
    struct p2p_connection c = {.remote = harness_endpoint(from),
                               .local = harness_endpoint(socket),
                               .transport = TRANSPORT_V1,
                               .permissions = permissions,
                               .onion = onion};
    peer_id id = harness_inbound_with(h, &c);
    harness_handshake(h, id);
    harness_forget(h, id);
    return id;
}

static int by_address(const void *a, const void *b)
{
    const struct peer_addr *x = a, *y = b;
    return netaddr_cmp(&x->at.addr, &y->at.addr);
}

struct answer {
    struct peer_addr addrs[MAX_ADDR];
    size_t count;
};

/* What the peer is answered, sorted. */
static void ask(struct harness *h, peer_id id, struct answer *out)
{
    struct message m;
    harness_say_empty(h, id, MESSAGE_GETADDR);
    cr_assert(harness_answer(h, id, MESSAGE_ADDRV2, &m), "no answer");
    out->count = m.as.addr.count;
    memcpy(out->addrs, m.as.addr.addrs, out->count * sizeof(*out->addrs));
    qsort(out->addrs, out->count, sizeof(*out->addrs), by_address);
}

/* How many of A are in B, roughly all where the two come of the same answer: the filter of what a peer knows leaves out
 * one in a thousand by mistake. */
static size_t in_common(const struct answer *a, const struct answer *b)
{
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        count += bsearch(&a->addrs[i], b->addrs, b->count, sizeof(*b->addrs), by_address) != NULL;
    return count;
}

Test(addr_cache, same_for_most_of_a_day_and_another_on_another_socket)
{
    struct harness h;
    static struct answer first, again, port, onion, late, permitted;
    quiet(&h);
    fill(&h, KNOWN);
    ask(&h, inbound(&h, "1.2.3.4:1", "10.0.0.1:18444", false, 0), &first);
    cr_assert_geq(first.count, 980);
    ask(&h, inbound(&h, "1.9.3.4:2", "10.0.0.1:18444", false, 0), &again);
    cr_assert_geq(in_common(&first, &again), 980);
    ask(&h, inbound(&h, "1.8.3.4:3", "10.0.0.1:18445", false, 0), &port);
    cr_assert_leq(in_common(&first, &port), 500);
    ask(&h, inbound(&h, "127.0.0.1:4", "10.0.0.1:18444", true, 0), &onion);
    cr_assert_leq(in_common(&first, &onion), 500);
    ask(&h, inbound(&h, "1.7.3.4:5", "10.0.0.1:18444", false, PERM_ADDR), &permitted);
    cr_assert_leq(in_common(&first, &permitted), 500, "always fresh for those who may");

    harness_wait_s(&h, 21 * 3600 - 60);
    ask(&h, inbound(&h, "1.6.3.4:6", "10.0.0.1:18444", false, 0), &late);
    cr_assert_geq(in_common(&first, &late), 980);
    harness_wait_s(&h, 6 * 3600 + 120);
    ask(&h, inbound(&h, "1.5.3.4:7", "10.0.0.1:18444", false, 0), &late);
    cr_assert_leq(in_common(&first, &late), 500);
    harness_free(&h);
}

Test(addr_cache, at_most_23_percent)
{
    struct harness h;
    static struct answer a;
    quiet(&h);
    fill(&h, 1000);
    size_t known = addrman_size(h.addrman, NET_COUNT, ADDRMAN_BOTH);
    ask(&h, inbound(&h, "1.2.3.4:1", "10.0.0.1:18444", false, 0), &a);
    cr_assert_leq(a.count, known * 23 / 100);
    cr_assert_geq(a.count + 5, known * 23 / 100);
    harness_free(&h);
}

Test(addr_cache, once_a_connection_and_to_inbound_peers_alone)
{
    struct harness h;
    static struct answer a;
    quiet(&h);
    fill(&h, 1000);
    peer_id in = inbound(&h, "1.2.3.4:1", "10.0.0.1:18444", false, 0);
    ask(&h, in, &a);
    harness_say_empty(&h, in, MESSAGE_GETADDR);
    cr_assert(harness_logged(&h, "Ignoring repeated \"getaddr\". peer=0"));
    peer_id out = harness_peer(&h, "1.2.3.5:18444", CONN_OUTBOUND_FULL);
    harness_say_empty(&h, out, MESSAGE_GETADDR);
    cr_assert(harness_logged(&h, "Ignoring \"getaddr\" from outbound-full-relay connection. peer=1"));
    harness_wait_s(&h, 600);
    cr_assert_eq(harness_answers(&h, in, MESSAGE_ADDRV2), 0);
    cr_assert_eq(harness_answers(&h, out, MESSAGE_ADDRV2), 0);
    harness_free(&h);
}

Test(addr_cache, without_the_banned)
{
    struct harness h;
    quiet(&h);
    fill(&h, KNOWN);
    struct subnet s = subnet_parse(span_str("0.0.0.0/1"), false);
    bans_add(&h.bans, &s, 0, false, h.wall_us / 1000000);
    peer_id id = inbound(&h, "200.2.3.4:1", "10.0.0.1:18444", false, 0);
    harness_say_empty(&h, id, MESSAGE_GETADDR);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_ADDRV2), 0);
    harness_free(&h);
}
