/* The address manager's rules one by one; the figures for the key 1 are those of Bitcoin Core's tests. */
#include "kit.h"

#include <stdio.h>

static struct peer_addr of_group(int last, uint16_t port)
{
    char text[32];
    snprintf(text, sizeof(text), "250.1.1.%d", last);
    return peer(text, port);
}

static size_t got(struct addrman *a, size_t max, unsigned percent, enum network net, bool filtered)
{
    struct peer_addr *out;
    size_t count = addrman_get_addr(a, max, percent, net, filtered, NOW_S, &out);
    for (size_t i = 0; i < count; i++) {
        cr_assert(addrman_find(a, &out[i].at, NULL, NULL));
        for (size_t j = 0; j < i && count < 100; j++) cr_assert(!endpoint_equal(&out[i].at, &out[j].at));
    }
    free(out);
    return count;
}

/* The only address that gets told. */
static struct peer_addr only(struct addrman *a)
{
    struct peer_addr *out, result;
    cr_assert_eq(addrman_get_addr(a, 0, 0, NET_COUNT, true, NOW_S, &out), 1);
    result = out[0];
    free(out);
    return result;
}

Test(addrman, empty)
{
    struct addrman *a = with_key_one(0);
    struct endpoint e = service("1.2.3.4", 8333);
    cr_assert_eq(size(a), 0);
    cr_assert_str_eq(selected(a, false, 0), "");
    cr_assert_str_eq(to_test(a), "");
    cr_assert_eq(got(a, 0, 0, NET_COUNT, false), 0);
    cr_assert(!good(a, e));
    addrman_attempt(a, &e, true, NOW_S);
    addrman_connected(a, &e, NOW_S);
    addrman_set_services(a, &e, 1);
    addrman_resolve_collisions(a, NOW_S);
    cr_assert(!addrman_find(a, &e, NULL, NULL));
    size_t at = 0;
    cr_assert(!addrman_next(a, ADDRMAN_NEW, &at, NULL, NULL));
    addrman_free(a);
    addrman_free(NULL);
}

Test(addrman, simple)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, peer("250.1.1.1", 8333), "252.2.2.2"));
    cr_assert_str_eq(selected(a, false, 0), "250.1.1.1:8333");
    cr_assert(!add(a, peer("250.1.1.1", 8333), "252.2.2.2"), "told twice");
    cr_assert_eq(size(a), 1);
    cr_assert(!add(a, peer("10.0.0.1", 8333), "252.2.2.2"), "not routable");
    cr_assert(!add(a, peer("127.0.0.1", 8333), "252.2.2.2"), "local");
    cr_assert_eq(size(a), 1);
    addrman_free(a);
}

Test(addrman, ports_are_apart)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, peer("250.1.1.1", 8333), "252.2.2.2"));
    cr_assert(add(a, peer("250.1.1.1", 8334), "252.2.2.2"));
    cr_assert_eq(size(a), 2);
    cr_assert(good(a, service("250.1.1.1", 8334)));
    cr_assert_eq(size(a), 2);
    cr_assert_str_eq(selected(a, true, 0), "250.1.1.1:8333");
    addrman_free(a);
}

Test(addrman, select_from_both_tables)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, peer("250.1.1.1", 8333), "252.2.2.2"));
    cr_assert(good(a, service("250.1.1.1", 8333)));
    cr_assert_str_eq(selected(a, true, 0), "");
    cr_assert_str_eq(selected(a, false, 0), "250.1.1.1:8333");
    cr_assert(add(a, peer("250.3.1.1", 8333), "250.3.1.1"));
    cr_assert_str_eq(selected(a, true, 0), "250.3.1.1:8333");
    int tried = 0;
    for (int i = 0; i < 400; i++) tried += strcmp(selected(a, false, 0), "250.1.1.1:8333") == 0;
    /* Half of the choices; the tried one was tried this instant, but within its table it is alone. */
    cr_assert(tried > 140 && tried < 260, "%d of 400", tried);
    addrman_free(a);
}

Test(addrman, select_by_network)
{
    static const char *i2p = "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p";
    struct addrman *a = with_key_one(0);
    cr_assert_str_eq(selected(a, false, 1u << NET_IPV4), "");
    cr_assert(add(a, peer(i2p, 0), "252.2.2.2"));
    cr_assert(good(a, service(i2p, 0)));
    cr_assert(add(a, peer("250.1.1.3", 8333), "252.2.2.2"));
    for (int i = 0; i < 20; i++) {
        cr_assert_str_eq(selected(a, false, 1u << NET_IPV4), "250.1.1.3:8333", "in new, though not only new is asked");
        cr_assert_eq(strncmp(selected(a, false, 1u << NET_I2P), i2p, 40), 0);
        cr_assert_str_eq(selected(a, true, 1u << NET_I2P), "");
        cr_assert_str_neq(selected(a, false, 1u << NET_I2P | 1u << NET_IPV4), "");
        cr_assert_str_eq(selected(a, false, 1u << NET_IPV6 | 1u << NET_ONION | 1u << NET_CJDNS), "");
    }
    addrman_free(a);
}

Test(addrman, select_avoids_what_fails)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, fresh("250.1.1.1", 8333), "252.2.2.2"));
    cr_assert(add(a, fresh("250.9.1.1", 8333), "252.2.2.2"));
    struct endpoint bad = service("250.1.1.1", 8333);
    addrman_attempt(a, &bad, true, NOW_S - 30);
    int chosen = 0;
    for (int i = 0; i < 1000; i++) chosen += strcmp(selected(a, false, 0), "250.1.1.1:8333") == 0;
    cr_assert_lt(chosen, 60, "tried half a minute ago: %d of 1000", chosen);
    addrman_free(a);
}

Test(addrman, new_collisions)
{
    struct addrman *a = with_key_one(0);
    for (int i = 1; i <= 22; i++) {
        cr_assert(add(a, of_group(i, 0), "252.2.2.2"));
        cr_assert_eq(size(a), (size_t)i);
    }
    cr_assert(add(a, of_group(23, 0), "252.2.2.2"), "takes the place of a terrible one");
    cr_assert_eq(size(a), 22);
    cr_assert(add(a, of_group(24, 0), "252.2.2.2"));
    cr_assert_eq(size(a), 23);
    addrman_free(a);
}

Test(addrman, a_good_entry_keeps_its_place)
{
    struct addrman *a = with_key_one(0);
    struct peer_addr addrs[23];
    struct netaddr source = ip("252.2.2.2");
    for (int i = 0; i < 23; i++) {
        addrs[i] = of_group(i + 1, 0);
        addrs[i].time = (uint32_t)NOW_S;
    }
    cr_assert_eq(addrman_add(a, addrs, 23, &source, 0, NOW_S), 22);
    cr_assert(!addrman_find(a, &addrs[22].at, NULL, NULL));
    addrman_free(a);
}

static void tell_often(struct addrman *a, struct peer_addr addr, int times, bool later)
{
    for (int i = 1; i < times; i++) {
        char source[32];
        snprintf(source, sizeof(source), "%d.%d.1.1", 1 + i % 250, i / 250);
        if (later) addr.time = (uint32_t)(NOW_S + i);
        add(a, addr, source);
    }
}

Test(addrman, new_multiplicity)
{
    struct addrman *a = with_key_one(0);
    struct addrman_position p;
    struct peer_addr addr = fresh("253.3.3.3", 8333);
    tell_often(a, addr, 20, false);
    cr_assert(addrman_find(a, &addr.at, NULL, &p) && p.multiplicity == 1, "no later time, no place more");
    tell_often(a, addr, 10, true);
    cr_assert(addrman_find(a, &addr.at, NULL, &p));
    cr_assert_lt(p.multiplicity, 8, "each place more is harder to get");
    for (int i = 0; i < 8; i++) tell_often(a, addr, 400, true);
    cr_assert(addrman_find(a, &addr.at, NULL, &p));
    cr_assert_eq(p.multiplicity, 8);
    cr_assert_eq(size(a), 1);
    size_t at = 0, places = 0;
    while (addrman_next(a, ADDRMAN_NEW, &at, NULL, &p)) places++;
    cr_assert_eq(places, 8);
    cr_assert(good(a, addr.at));
    at = places = 0;
    while (addrman_next(a, ADDRMAN_NEW, &at, NULL, NULL)) places++;
    cr_assert_eq(places, 0);
    addrman_free(a);
}

Test(addrman, tried_collisions)
{
    struct addrman *a = with_key_one(0);
    for (int i = 1; i <= 35; i++) {
        cr_assert(add(a, of_group(i, 0), "252.2.2.2"));
        cr_assert(good(a, of_group(i, 0).at), "%d", i);
        cr_assert(!good(a, of_group(i, 0).at), "it is there already");
        cr_assert_str_eq(to_test(a), "");
    }
    cr_assert(add(a, of_group(36, 0), "252.2.2.2"));
    cr_assert(!good(a, of_group(36, 0).at));
    cr_assert_str_eq(to_test(a), "250.1.1.19:0");
    cr_assert(add(a, of_group(37, 0), "252.2.2.2"));
    cr_assert(good(a, of_group(37, 0).at));
    addrman_free(a);
}

static struct addrman *with_collision(void)
{
    struct addrman *a = with_key_one(0);
    for (int i = 1; i <= 36; i++) {
        cr_assert(add(a, of_group(i, 0), "252.2.2.2"));
        cr_assert_eq(good(a, of_group(i, 0).at), i < 36);
    }
    cr_assert_str_eq(to_test(a), "250.1.1.19:0");
    return a;
}

static bool in_tried(struct addrman *a, int last)
{
    struct addrman_position p;
    struct endpoint e = of_group(last, 0).at;
    cr_assert(addrman_find(a, &e, NULL, &p));
    return p.tried;
}

Test(addrman, who_answers_stays)
{
    struct addrman *a = with_collision();
    addrman_resolve_collisions(a, NOW_S);
    cr_assert_str_eq(to_test(a), "");
    cr_assert(in_tried(a, 19) && !in_tried(a, 36));
    addrman_free(a);
}

Test(addrman, a_candidate_waits_once)
{
    struct addrman *a = with_collision();
    for (int n = 0; n < ADDRMAN_MAX_COLLISIONS; n++) cr_assert(!good(a, of_group(36, 0).at));
    for (int i = 37; i <= 59; i++) {
        cr_assert(add(a, of_group(i, 0), "252.2.2.2"));
        cr_assert_eq(good(a, of_group(i, 0).at), i < 59);
    }
    int others = 0;
    for (int n = 0; n < 200; n++) others += strcmp(to_test(a), "250.1.1.10:0") == 0;
    cr_assert(others > 60 && others < 140, "%d of 200", others);
    addrman_free(a);
}

Test(addrman, who_fails_the_test_goes)
{
    struct addrman *a = with_collision();
    struct endpoint old = of_group(19, 0).at;
    addrman_good(a, &old, 1); /* its last success is long ago */
    addrman_attempt(a, &old, true, NOW_S - 60);
    addrman_resolve_collisions(a, NOW_S);
    cr_assert_str_eq(to_test(a), "250.1.1.19:0", "the attempt has a minute");
    addrman_resolve_collisions(a, NOW_S + 1);
    cr_assert_str_eq(to_test(a), "");
    cr_assert(in_tried(a, 36) && !in_tried(a, 19));
    struct addrman_info i;
    for (int n = 0; n < 2; n++) addrman_attempt(a, &old, true, NOW_S + 2);
    cr_assert(addrman_find(a, &old, &i, NULL) && i.attempts == 2, "what was resolved is a success");
    cr_assert(!good(a, of_group(36, 0).at));
    cr_assert_str_eq(to_test(a), "", "no collision with itself");

    /* And back, because nobody ever managed to test the other. */
    cr_assert(!good(a, old));
    cr_assert_str_eq(to_test(a), "250.1.1.36:0");
    addrman_resolve_collisions(a, NOW_S + 4 * 3600 - 1);
    cr_assert(!in_tried(a, 19), "36 answered less than four hours ago");
    cr_assert(!good(a, old));
    addrman_resolve_collisions(a, NOW_S + 4 * 3600);
    cr_assert_str_eq(to_test(a), "");
    cr_assert(in_tried(a, 19) && !in_tried(a, 36));
    addrman_free(a);
}

Test(addrman, collisions_are_few)
{
    struct addrman *a = with_key_one(0);
    int waiting = 0;
    for (int i = 0; i < 4000; i++) {
        char text[32];
        snprintf(text, sizeof(text), "250.1.%d.%d", i / 250, i % 250);
        if (add(a, fresh(text, 0), "252.2.2.2")) waiting += !good(a, service(text, 0));
    }
    cr_assert_gt(waiting, 20, "%d", waiting);
    cr_assert_leq(addrman_size(a, NET_COUNT, ADDRMAN_TRIED), 8 * ADDRMAN_BUCKET_SIZE, "one group fills 8 buckets");
    cr_assert_leq(addrman_size(a, NET_COUNT, ADDRMAN_NEW), ADDRMAN_BUCKET_SIZE, "and one source one");
    cr_assert_eq(addrman_check(a), 0);
    /* Nobody tested anything: all are replaced, and some of those that go back to new push out who still waits. */
    size_t before = addrman_size(a, NET_COUNT, ADDRMAN_TRIED);
    addrman_resolve_collisions(a, NOW_S + 5 * 3600);
    cr_assert_str_eq(to_test(a), "");
    cr_assert_eq(addrman_size(a, NET_COUNT, ADDRMAN_TRIED), before);
    cr_assert_eq(addrman_check(a), 0);
    addrman_free(a);
}

Test(addrman, get_addr)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, fresh("250.250.2.1", 8333), "250.1.2.1"));
    cr_assert(add(a, fresh("251.252.2.3", 8333), "250.1.2.1"));
    cr_assert(add(a, fresh("252.254.4.5", 8333), "250.1.2.1"));
    cr_assert(add(a, fresh("250.251.2.2", 9999), "250.2.3.3"));
    cr_assert(add(a, fresh("252.253.3.4", 8333), "250.2.3.3"));
    cr_assert_eq(got(a, 0, 0, NET_COUNT, true), 5);
    cr_assert_eq(got(a, 2500, 23, NET_COUNT, true), 1);
    cr_assert_eq(got(a, 2, 0, NET_COUNT, true), 2);
    cr_assert_eq(got(a, 0, 0, NET_IPV4, true), 5);
    cr_assert_eq(got(a, 0, 0, NET_IPV6, true), 0);
    cr_assert(good(a, service("250.250.2.1", 8333)));
    cr_assert(good(a, service("250.251.2.2", 9999)));
    cr_assert_eq(got(a, 0, 100, NET_COUNT, true), 5);
    for (int i = 1; i < 8 * 256; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%d.%d.1.23", i % 256, i >> 8);
        struct peer_addr addr = fresh(text, 0);
        addrman_add(a, &addr, 1, &addr.at.addr, 0, NOW_S);
        if (i % 8 == 0) good(a, addr.at);
    }
    cr_assert_eq(size(a), 2006, "the rest collided");
    cr_assert_eq(got(a, 2500, 23, NET_COUNT, true), 461);
    cr_assert_eq(addrman_check(a), 0);
    addrman_free(a);
}

Test(addrman, ipv4_inside_ipv6_is_told_as_ipv4)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, fresh("2002:fafa:201::1", 8333), "250.1.2.1"));
    cr_assert_eq(got(a, 0, 0, NET_IPV4, true), 1);
    cr_assert_eq(got(a, 0, 0, NET_IPV6, true), 0);
    cr_assert_eq(addrman_size(a, NET_IPV6, ADDRMAN_BOTH), 1);
    addrman_free(a);
}

Test(addrman, terrible)
{
    struct addrman_info i = {.addr = {.time = (uint32_t)NOW_S}};
    cr_assert(!addrman_is_terrible(&i, NOW_S));
    i.addr.time = (uint32_t)NOW_S + 600;
    cr_assert(!addrman_is_terrible(&i, NOW_S));
    i.addr.time++;
    cr_assert(addrman_is_terrible(&i, NOW_S), "from the future");
    i.last_try_s = NOW_S - 60;
    cr_assert(!addrman_is_terrible(&i, NOW_S), "being tried");
    i.last_try_s = NOW_S - 61;
    cr_assert(addrman_is_terrible(&i, NOW_S));
    i.addr.time = (uint32_t)(NOW_S - ADDRMAN_HORIZON_S);
    cr_assert(!addrman_is_terrible(&i, NOW_S));
    i.addr.time--;
    cr_assert(addrman_is_terrible(&i, NOW_S), "forgotten");
    i.addr.time = (uint32_t)NOW_S;
    i.attempts = 2;
    cr_assert(!addrman_is_terrible(&i, NOW_S));
    i.attempts = 3;
    cr_assert(addrman_is_terrible(&i, NOW_S), "never worked");
    i.last_success_s = NOW_S - ADDRMAN_MIN_FAIL_S - 1;
    i.attempts = 9;
    cr_assert(!addrman_is_terrible(&i, NOW_S));
    i.attempts = 10;
    cr_assert(addrman_is_terrible(&i, NOW_S), "gone for a week");
    i.last_success_s++;
    cr_assert(!addrman_is_terrible(&i, NOW_S));
}

Test(addrman, chance)
{
    struct addrman_info i = {0};
    cr_assert_eq(addrman_chance(&i, NOW_S), 1.0);
    i.last_try_s = NOW_S - 600;
    cr_assert_eq(addrman_chance(&i, NOW_S), 1.0);
    i.last_try_s = NOW_S - 599;
    cr_assert_eq(addrman_chance(&i, NOW_S), 0.01);
    i.last_try_s = 0;
    i.attempts = 1;
    cr_assert_float_eq(addrman_chance(&i, NOW_S), 0.66, 1e-9);
    i.attempts = 8;
    double least = addrman_chance(&i, NOW_S);
    cr_assert_float_eq(least, 0.0360041, 1e-6);
    i.attempts = INT32_MAX;
    cr_assert_eq(addrman_chance(&i, NOW_S), least);
}

Test(addrman, unfiltered)
{
    struct addrman *a = with_key_one(0);
    cr_assert(add(a, fresh("250.250.2.1", 8333), "250.1.2.1"));
    cr_assert(add(a, peer("250.251.2.2", 9999), "250.1.2.1"));
    struct peer_addr third = fresh("250.251.2.3", 9998);
    good(a, third.at); /* unknown yet, but successes with anybody let attempts count */
    cr_assert(add(a, third, "250.1.2.1"));
    for (int n = 0; n < 3; n++) addrman_attempt(a, &third.at, true, NOW_S - 61);
    struct peer_addr future = fresh("250.252.2.4", 9997);
    future.time += 11 * 60;
    cr_assert(add(a, future, "250.1.2.1"));
    cr_assert_eq(got(a, 0, 0, NET_COUNT, true), 1);
    cr_assert_eq(got(a, 0, 0, NET_COUNT, false), 4);
    addrman_free(a);
}

Test(addrman, failures_count_once_between_successes)
{
    struct addrman *a = with_key_one(0);
    struct addrman_info i;
    struct endpoint e = service("250.1.1.1", 8333), other = service("250.9.1.1", 8333);
    cr_assert(add(a, fresh("250.1.1.1", 8333), "252.2.2.2"));
    addrman_attempt(a, &e, false, NOW_S);
    cr_assert(addrman_find(a, &e, &i, NULL) && i.attempts == 0 && i.last_try_s == NOW_S);
    for (int n = 1; n <= 3; n++) addrman_attempt(a, &e, true, NOW_S + n);
    cr_assert(addrman_find(a, &e, &i, NULL) && i.attempts == 1 && i.last_try_s == NOW_S + 3);
    addrman_good(a, &other, NOW_S + 10); /* we are not offline */
    addrman_attempt(a, &e, true, NOW_S + 11);
    addrman_attempt(a, &e, true, NOW_S + 12);
    cr_assert(addrman_find(a, &e, &i, NULL) && i.attempts == 2);
    addrman_good(a, &other, NOW_S + 12);
    for (int n = 0; n < 2; n++) addrman_attempt(a, &e, true, NOW_S + 12);
    cr_assert(addrman_find(a, &e, &i, NULL) && i.attempts == 3, "once, at the instant of the success too");
    addrman_good(a, &e, NOW_S + 13);
    cr_assert(addrman_find(a, &e, &i, NULL) && i.attempts == 0 && i.last_success_s == NOW_S + 13);
    cr_assert_eq(i.addr.time, NOW_S, "does not show whom we are connected to");
    addrman_free(a);
}

Test(addrman, penalty)
{
    struct addrman *a = with_key_one(0);
    struct addrman_info i;
    struct peer_addr addrs[3] = {fresh("250.1.1.1", 8333), fresh("250.1.1.2", 8333), fresh("250.1.1.3", 8333)};
    addrs[2].time = 100;
    struct netaddr source = ip("250.1.1.1");
    cr_assert_eq(addrman_add(a, addrs, 3, &source, 3600, NOW_S), 3);
    cr_assert(addrman_find(a, &addrs[0].at, &i, NULL) && i.addr.time == NOW_S, "its own address");
    cr_assert(addrman_find(a, &addrs[1].at, &i, NULL) && i.addr.time == NOW_S - 3600);
    cr_assert(addrman_find(a, &addrs[2].at, &i, NULL) && i.addr.time == 0, "not below zero");
    addrman_free(a);
}

Test(addrman, times_and_services_are_updated)
{
    struct addrman *a = with_key_one(0);
    struct peer_addr addr = fresh("250.1.1.1", 8333);
    struct endpoint other_port = service("250.1.1.1", 8334);
    addr.time -= 10000;
    cr_assert(add(a, addr, "252.2.2.2"));
    addrman_connected(a, &other_port, NOW_S);
    addrman_set_services(a, &other_port, NODE_NETWORK_LIMITED);
    cr_assert(only(a).time == addr.time && only(a).services == 0);
    addrman_connected(a, &addr.at, addr.time + 1200);
    cr_assert_eq(only(a).time, addr.time, "not for 20 minutes");
    addrman_connected(a, &addr.at, NOW_S);
    addrman_set_services(a, &addr.at, NODE_NETWORK_LIMITED);
    cr_assert(only(a).time == NOW_S && only(a).services == NODE_NETWORK_LIMITED);
    addr.services = NODE_P2P_V2;
    cr_assert(!add(a, addr, "252.2.2.2"));
    cr_assert_eq(only(a).services, NODE_P2P_V2 | NODE_NETWORK_LIMITED, "gossip adds services");
    addrman_set_services(a, &addr.at, NODE_NETWORK);
    cr_assert_eq(only(a).services, NODE_NETWORK, "a connection replaces them");
    cr_assert(good(a, addr.at));
    cr_assert(!add(a, addr, "252.2.2.2"));
    cr_assert_eq(only(a).services, NODE_NETWORK | NODE_P2P_V2, "in tried too");
    addrman_free(a);
}

Test(addrman, gossip_moves_the_time_in_steps)
{
    struct addrman *a = with_key_one(0);
    struct peer_addr addr = fresh("250.1.1.1", 8333);
    addr.time -= 20000;
    cr_assert(add(a, addr, "252.2.2.2"));
    uint32_t before = addr.time;
    addr.time = before + 3600;
    add(a, addr, "252.2.2.2");
    cr_assert_eq(only(a).time, before, "an hour's difference is not enough");
    addr.time = before + 3601;
    add(a, addr, "252.2.2.2");
    cr_assert_eq(only(a).time, before + 3601);
    addrman_free(a);
}

/* A hundred choices and lists of an address manager with this seed, in one number. */
static uint64_t trace(uint8_t seed)
{
    struct addrman *a = addrman_new(&(struct addrman_options){.seed = {seed, 1, 2}});
    uint64_t hash = 0;
    for (int i = 0; i < 300; i++) {
        char text[32], source[32];
        snprintf(text, sizeof(text), "250.%d.1.%d", i % 7, i % 100);
        snprintf(source, sizeof(source), "251.%d.1.1", i % 13);
        struct peer_addr addr = fresh(text, 8333), *list;
        addr.time = (uint32_t)(NOW_S + i);
        add(a, addr, source);
        if (i % 5 == 0) good(a, addr.at);
        struct peer_addr chosen;
        cr_assert(addrman_select(a, false, 0, NOW_S, &chosen, NULL));
        hash = hash * 31 + chosen.at.addr.bytes[1] * 256 + chosen.at.addr.bytes[3];
        size_t count = addrman_get_addr(a, 3, 0, NET_COUNT, true, NOW_S, &list);
        for (size_t n = 0; n < count; n++) hash = hash * 31 + list[n].at.addr.bytes[3];
        free(list);
    }
    struct buffer out = {0};
    addrman_write(a, (const uint8_t[4]){1, 2, 3, 4}, &out);
    for (size_t i = 0; i < out.len; i++) hash = hash * 31 + out.data[i];
    buffer_clear(&out);
    addrman_free(a);
    return hash;
}

Test(addrman, the_seed_decides_everything)
{
    cr_assert_eq(trace(1), trace(1));
    cr_assert_neq(trace(1), trace(2));
}
