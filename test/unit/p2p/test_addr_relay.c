/* Addresses between peers: the token bucket, whom an address is passed on to, trickling, ourselves. */
#include "harness.h"

enum { DAY_S = 24 * 3600 };

static const uint8_t LOCAL_IP[4] = {42, 42, 42, 42};

/* Without our own address in what they are told. */
static void quiet(struct harness *h)
{
    harness_prepare(h);
    h->options.listen = false;
    harness_open(h);
}

static struct peer_addr addr_of(const struct harness *h, uint32_t ipv4, uint16_t port)
{
    uint8_t bytes[4] = {(uint8_t)(ipv4 >> 24), (uint8_t)(ipv4 >> 16), (uint8_t)(ipv4 >> 8), (uint8_t)ipv4};
    return (struct peer_addr){.at = {netaddr_ipv4(bytes), port},
                              .services = NODE_NETWORK | NODE_WITNESS,
                              .time = (uint32_t)(h->wall_us / 1000000)};
}

/* 123.N/256.N%256.1 */
static struct peer_addr nth(const struct harness *h, uint32_t n)
{
    return addr_of(h, UINT32_C(123) << 24 | n << 8 | 1, 8333);
}

static struct peer_addr onion(const struct harness *h, uint8_t n)
{
    struct peer_addr a = nth(h, 0);
    a.at.addr = (struct netaddr){.net = NET_ONION, .bytes = {n, 1, 2, 3}};
    return a;
}

static void tell(struct harness *h, peer_id from, const struct peer_addr *addrs, size_t count)
{
    struct peer_addr copy[MAX_ADDR];
    if (count) memcpy(copy, addrs, count * sizeof(*addrs));
    struct message m = {.type = MESSAGE_ADDRV2, .as.addr = {copy, count}};
    harness_say(h, from, &m);
}

static void tell_range(struct harness *h, peer_id from, uint32_t first, size_t count)
{
    struct peer_addr addrs[MAX_ADDR];
    for (size_t i = 0; i < count; i++) addrs[i] = nth(h, first + (uint32_t)i);
    tell(h, from, addrs, count);
}

/* Inbound, with address relay turned on by an empty message. */
static peer_id relayer(struct harness *h, unsigned n)
{
    char text[32];
    snprintf(text, sizeof(text), "9.9.%u.1:5000", n);
    peer_id id = harness_peer(h, text, CONN_INBOUND);
    tell(h, id, NULL, 0);
    return id;
}

static peer_id trusted(struct harness *h, const char *from)
{
    struct p2p_connection c = {.remote = harness_endpoint(from),
                               .local = harness_endpoint("10.0.0.1:18444"),
                               .transport = TRANSPORT_V1,
                               .permissions = PERM_ADDR};
    peer_id id = harness_inbound_with(h, &c);
    harness_handshake(h, id);
    harness_forget(h, id);
    return id;
}

/* Addresses that were sent to ID since the last look. */
static size_t told(struct harness *h, peer_id id, struct peer_addr *out)
{
    struct message m;
    size_t count = 0;
    while (harness_answer(h, id, MESSAGE_ADDRV2, &m)) {
        if (out) memcpy(out + count, m.as.addr.addrs, m.as.addr.count * sizeof(*out));
        count += m.as.addr.count;
    }
    return count;
}

/* Long enough for everything that waits to go out, and without the silence that ends connections. */
static void trickle(struct harness *h)
{
    for (int i = 0; i < 20; i++) harness_wait_s(h, 30);
}

static uint64_t processed(struct harness *h, peer_id id)
{
    return harness_peer_of(h, id)->addrs.processed;
}

static uint64_t limited(struct harness *h, peer_id id)
{
    return harness_peer_of(h, id)->addrs.rate_limited;
}

/* ---- the token bucket ---- */

Test(addr_tokens, one_at_first_and_one_each_ten_seconds)
{
    struct harness h;
    quiet(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    tell_range(&h, id, 0, 5);
    cr_assert_eq(processed(&h, id), 1);
    cr_assert_eq(limited(&h, id), 4);
    harness_wait_s(&h, 100);
    tell_range(&h, id, 10, 20);
    cr_assert_eq(processed(&h, id), 11);
    cr_assert_eq(limited(&h, id), 14);
    cr_assert(harness_logged(&h, "Received addr: 20 addresses (10 processed, 10 rate-limited) from peer=0"));
    harness_free(&h);
}

Test(addr_tokens, at_most_a_thousand)
{
    struct harness h;
    quiet(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_peer_of(&h, id)->addrs.token_time_us -= INT64_C(30) * DAY_S * 1000000;
    tell_range(&h, id, 0, 600);
    tell_range(&h, id, 1000, 600);
    cr_assert_eq(processed(&h, id), 1000);
    cr_assert_eq(limited(&h, id), 200);
    harness_free(&h);
}

Test(addr_tokens, a_clock_that_goes_back_takes_none)
{
    struct harness h;
    quiet(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_peer_of(&h, id)->addrs.token_time_us += INT64_C(1000000000);
    tell_range(&h, id, 0, 2);
    cr_assert_eq(processed(&h, id), 1);
    harness_free(&h);
}

Test(addr_tokens, the_answer_to_getaddr_is_free_and_permission_is_without_limit)
{
    struct harness h;
    quiet(&h);
    peer_id out = harness_outbound(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    harness_handshake(&h, out);
    cr_assert_eq(harness_answers(&h, out, MESSAGE_GETADDR), 1);
    tell_range(&h, out, 0, 1000);
    tell_range(&h, out, 2000, 10);
    cr_assert_eq(processed(&h, out), 1001);
    cr_assert_eq(limited(&h, out), 9);
    peer_id in = trusted(&h, "1.2.3.5:5000");
    tell_range(&h, in, 4000, 1000);
    tell_range(&h, in, 5000, 1000);
    cr_assert_eq(processed(&h, in), 2000);
    cr_assert_eq(limited(&h, in), 0);
    harness_free(&h);
}

/* ---- what is stored ---- */

static int64_t stored_time(struct harness *h, const struct peer_addr *a)
{
    struct addrman_info info;
    return addrman_find(h->addrman, &a->at, &info, NULL) ? (int64_t)info.addr.time : -1;
}

Test(addr_store, times_services_and_networks)
{
    struct harness h;
    quiet(&h);
    peer_id id = trusted(&h, "1.2.3.4:5000");
    int64_t now_s = h.wall_us / 1000000;
    struct peer_addr a[7];
    for (uint32_t i = 0; i < 7; i++) a[i] = nth(&h, i * 256);
    a[1].time = 100000000;                /* impossible, as no node was there then */
    a[2].time = (uint32_t)now_s + 601;    /* from the future */
    a[3].time = (uint32_t)now_s + 599;    /* a clock that is ahead a little */
    a[4].services = NODE_WITNESS;         /* no full node */
    a[5] = onion(&h, 1);                  /* a network that we do not use */
    a[6].services = NODE_NETWORK_LIMITED; /* useful all the same */
    tell(&h, id, a, 7);
    cr_assert_eq(stored_time(&h, &a[0]), now_s - 2 * 3600);
    cr_assert_eq(stored_time(&h, &a[1]), now_s - 5 * DAY_S - 2 * 3600);
    cr_assert_eq(stored_time(&h, &a[2]), now_s - 5 * DAY_S - 2 * 3600);
    cr_assert_eq(stored_time(&h, &a[3]), now_s + 599 - 2 * 3600);
    cr_assert_eq(stored_time(&h, &a[4]), -1);
    cr_assert_eq(stored_time(&h, &a[5]), -1);
    cr_assert_neq(stored_time(&h, &a[6]), -1);
    cr_assert_eq(processed(&h, id), 6);
    harness_free(&h);
}

Test(addr_store, not_the_banned)
{
    struct harness h;
    quiet(&h);
    peer_id id = trusted(&h, "1.2.3.4:5000"), other = relayer(&h, 1);
    struct peer_addr a[2] = {nth(&h, 0), nth(&h, 300)};
    bans_discourage(&h.bans, &a[0].at.addr);
    struct subnet s = subnet_of(&a[1].at.addr);
    bans_add(&h.bans, &s, 0, false, h.wall_us / 1000000);
    tell(&h, id, a, 2);
    trickle(&h);
    cr_assert_eq(told(&h, other, NULL), 0);
    cr_assert_eq(stored_time(&h, &a[0]), -1);
    cr_assert_eq(stored_time(&h, &a[1]), -1);
    harness_free(&h);
}

Test(addr_store, not_from_block_relay_peers)
{
    struct harness h;
    quiet(&h);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_BLOCK_RELAY);
    harness_handshake(&h, id);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETADDR), 0);
    tell_range(&h, id, 0, 3);
    cr_assert(harness_logged(&h, "ignoring addrv2 message from block-relay-only"));
    cr_assert_eq(processed(&h, id), 0);
    cr_assert_not(harness_peer_of(&h, id)->addrs.enabled);
    harness_free(&h);
}

Test(addr_store, more_than_a_thousand_misbehave)
{
    struct harness h;
    quiet(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct buffer payload = {0};
    struct peer_addr a = nth(&h, 1);
    buffer_put_u8(&payload, 253);
    buffer_put_le16(&payload, MAX_ADDR + 1);
    for (int i = 0; i <= MAX_ADDR; i++) peer_addr_write(&payload, &a, ADDR_V1);
    harness_say_bytes(&h, id, "addr", buffer_span(&payload));
    buffer_clear(&payload);
    cr_assert(harness_logged(&h, "addr message size = 1001"));
    cr_assert_null(harness_peer_of(&h, id));
    harness_free(&h);
}

/* ---- passing on ---- */

enum { RELAYERS = 8 };

Test(addr_pass_on, to_two_others_once)
{
    struct harness h;
    quiet(&h);
    peer_id from = trusted(&h, "1.2.3.4:5000"), again = trusted(&h, "1.2.3.5:5000"), to[RELAYERS];
    for (unsigned i = 0; i < RELAYERS; i++) to[i] = relayer(&h, i);
    tell_range(&h, from, 0, 10);
    trickle(&h);
    size_t total = told(&h, again, NULL);
    for (unsigned i = 0; i < RELAYERS; i++) total += told(&h, to[i], NULL);
    cr_assert_eq(total, 20);
    cr_assert_eq(told(&h, from, NULL), 0, "not to whom it came from");
    tell_range(&h, from, 0, 10);
    trickle(&h);
    for (unsigned i = 0; i < RELAYERS; i++) cr_assert_eq(told(&h, to[i], NULL), 0, "they know it, nobody else gets it");
    harness_free(&h);
}

Test(addr_pass_on, other_peers_another_day)
{
    struct harness h;
    quiet(&h);
    peer_id to[RELAYERS];
    for (unsigned i = 0; i < RELAYERS; i++) to[i] = relayer(&h, i);
    peer_id from = trusted(&h, "1.2.3.4:5000");
    unsigned reached = 0;
    bool has[RELAYERS] = {false};
    for (int day = 0; day < 12; day++) {
        struct peer_addr a = nth(&h, 7);
        struct message m = {.type = MESSAGE_ADDRV2, .as.addr = {&a, 1}};
        addr_relay_on_addr(h.p, harness_peer_of(&h, from), &m);
        for (unsigned i = 0; i < RELAYERS; i++) {
            struct peer_addrs *s = &harness_peer_of(&h, to[i])->addrs;
            reached += s->to_send_count > 0 && !has[i];
            has[i] = has[i] || s->to_send_count > 0;
        }
        if (day == 0) cr_assert_eq(reached, 2);
        /* The day passes without a tick, which would end the silent connections. */
        h.wall_us += INT64_C(1000000) * DAY_S;
        p2p_set_time(h.p, h.wall_us, h.steady_us);
    }
    cr_assert_geq(reached, 5);
    harness_free(&h);
}

Test(addr_pass_on, what_we_cannot_reach_to_one_or_two_who_can_take_it)
{
    struct harness h;
    quiet(&h);
    peer_id from = trusted(&h, "1.2.3.4:5000"), to[RELAYERS];
    for (unsigned i = 0; i < RELAYERS; i++) to[i] = relayer(&h, i);
    harness_peer_of(&h, to[0])->handshake.wants_addrv2 = false;
    for (uint8_t i = 0; i < 100; i += 10) {
        struct peer_addr a[10];
        for (uint8_t j = 0; j < 10; j++) a[j] = onion(&h, (uint8_t)(i + j));
        tell(&h, from, a, 10);
    }
    trickle(&h);
    size_t total = 0;
    for (unsigned i = 1; i < RELAYERS; i++) total += told(&h, to[i], NULL);
    cr_assert_gt(total, 120);
    cr_assert_lt(total, 180);
    cr_assert_eq(harness_answers(&h, to[0], MESSAGE_ADDR), 0);
    harness_free(&h);
}

Test(addr_pass_on, not_old_ones_or_many_or_unroutable)
{
    struct harness h;
    quiet(&h);
    peer_id from = trusted(&h, "1.2.3.4:5000"), to = relayer(&h, 0);
    tell_range(&h, from, 0, 11);
    struct peer_addr a[3] = {nth(&h, 1000), addr_of(&h, 0x0a000001, 8333), nth(&h, 2000)};
    a[0].time -= 601;
    tell(&h, from, a, 3);
    trickle(&h);
    struct peer_addr got[10];
    cr_assert_eq(told(&h, to, got), 1);
    cr_assert(endpoint_equal(&got[0].at, &a[2].at));
    harness_free(&h);
}

Test(addr_pass_on, not_the_first_message_of_an_outbound_peer)
{
    struct harness h;
    quiet(&h);
    peer_id from = harness_peer(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL), to = relayer(&h, 0);
    tell_range(&h, from, 0, 2);
    trickle(&h);
    cr_assert_eq(told(&h, to, NULL), 0);
    tell_range(&h, from, 10, 2);
    trickle(&h);
    cr_assert_eq(told(&h, to, NULL), 2);
    harness_free(&h);
}

Test(addr_pass_on, only_to_those_who_spoke_of_addresses)
{
    struct harness h;
    quiet(&h);
    peer_id from = trusted(&h, "1.2.3.4:5000"), silent = harness_peer(&h, "9.9.9.9:5000", CONN_INBOUND);
    peer_id hidden = harness_peer(&h, "9.8.9.9:18444", CONN_BLOCK_RELAY);
    tell_range(&h, from, 0, 10);
    trickle(&h);
    cr_assert_eq(told(&h, silent, NULL), 0);
    tell(&h, silent, NULL, 0);
    tell_range(&h, from, 20, 10);
    trickle(&h);
    cr_assert_eq(told(&h, silent, NULL), 10);
    cr_assert_eq(told(&h, hidden, NULL), 0);
    harness_free(&h);
}

Test(addr_pass_on, about_every_thirty_seconds)
{
    struct harness h;
    quiet(&h);
    peer_id from = trusted(&h, "1.2.3.4:5000"), to = relayer(&h, 0);
    size_t messages = 0, addrs = 0;
    for (uint32_t s = 0; s < 1100; s++) {
        tell_range(&h, from, s, 1);
        harness_wait_s(&h, 1);
        messages += harness_answers(&h, to, MESSAGE_ADDRV2);
        addrs += told(&h, to, NULL);
    }
    cr_assert_geq(messages, 15);
    cr_assert_leq(messages, 65);
    cr_assert_geq(addrs, 900);
    harness_free(&h);
}

/* ---- addr-fetch ---- */

Test(addr_fetch, ends_with_more_than_one_address)
{
    struct harness h;
    quiet(&h);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_ADDR_FETCH);
    harness_handshake(&h, id);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETADDR), 1);
    tell_range(&h, id, 0, 1);
    cr_assert_not_null(harness_peer_of(&h, id), "that may be itself");
    tell_range(&h, id, 10, 2);
    cr_assert_null(harness_peer_of(&h, id));
    cr_assert(harness_logged(&h, "addrfetch connection completed, disconnecting peer=0"));
    harness_free(&h);
}

/* ---- ourselves ---- */

static void have_address(struct harness *h)
{
    struct local_addrs *l = p2p_local(h->p);
    l->listen = true;
    l->discover = false;
    l->listen_port = 18444;
    l->reachable = 1u << NET_IPV4;
    struct endpoint e = {netaddr_ipv4(LOCAL_IP), 18444};
    cr_assert(local_addrs_add(l, &e, LOCAL_MANUAL, false));
}

Test(addr_self, first_in_a_message_of_its_own_and_then_about_daily)
{
    struct harness h;
    harness_new(&h);
    have_address(&h);
    struct netaddr source = harness_endpoint("7.7.7.7:1").addr;
    for (uint32_t i = 0; i < 200; i++) {
        struct peer_addr a = nth(&h, i * 256);
        addrman_add(h.addrman, &a, 1, &source, 0, h.wall_us / 1000000);
    }
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_say_empty(&h, id, MESSAGE_GETADDR);
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_ADDRV2, &m));
    cr_assert_eq(m.as.addr.count, 1);
    struct peer_addr self = m.as.addr.addrs[0];
    cr_assert_eq(memcmp(self.at.addr.bytes, LOCAL_IP, 4), 0);
    cr_assert_eq(self.at.port, 18444);
    cr_assert_eq(self.time, h.wall_us / 1000000);
    cr_assert_eq(self.services, h.options.services);
    cr_assert(harness_answer(&h, id, MESSAGE_ADDRV2, &m));
    cr_assert_geq(m.as.addr.count, 20, "the answer comes behind it");

    unsigned again = 0;
    for (int hour = 0; hour < 20 * 24; hour++) {
        h.wall_us += INT64_C(3600000000);
        p2p_set_time(h.p, h.wall_us, h.steady_us);
        struct peer *peer = harness_peer_of(&h, id);
        addr_relay_send(h.p, peer);
        addr_relay_send(h.p, peer);
        harness_pump(&h);
        again += (unsigned)told(&h, id, NULL);
    }
    cr_assert_geq(again, 8);
    cr_assert_leq(again, 36);
    harness_free(&h);
}

Test(addr_self, not_while_the_chain_is_far_behind_or_nobody_listens)
{
    for (int way = 0; way < 2; way++) {
        struct harness h;
        harness_prepare(&h);
        h.options.listen = way == 0;
        if (way == 0) h.wall_us += INT64_C(1000000) * 10 * DAY_S;
        h.kit.now_s = h.wall_us / 1000000;
        harness_open(&h);
        have_address(&h);
        peer_id id = relayer(&h, 1);
        trickle(&h);
        cr_assert_eq(told(&h, id, NULL), 0);
        harness_free(&h);
    }
}
