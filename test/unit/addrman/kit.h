/* What the tests of addresses share: addresses from text, and address managers from a number. */
#ifndef CAIRN_TEST_ADDRMAN_KIT_H
#define CAIRN_TEST_ADDRMAN_KIT_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "addrman/addrman.h"

static const int64_t NOW_S = 1700000000;

static inline struct netaddr ip(const char *text)
{
    struct netaddr a;
    cr_assert(netaddr_parse(&a, span_str(text)), "%s", text);
    return a;
}

static inline struct endpoint service(const char *text, uint16_t port)
{
    return (struct endpoint){.addr = ip(text), .port = port};
}

/* Last seen when Bitcoin Core's tests say nothing: long ago. */
static inline struct peer_addr peer(const char *text, uint16_t port)
{
    return (struct peer_addr){.at = service(text, port), .time = 100000000};
}

static inline struct peer_addr fresh(const char *text, uint16_t port)
{
    struct peer_addr a = peer(text, port);
    a.time = (uint32_t)NOW_S;
    return a;
}

/* With the key 1 of Bitcoin Core's tests; all invariants are checked every few calls. */
static inline struct addrman *with_key_one(uint8_t seed)
{
    return addrman_new(&(struct addrman_options){.seed = {seed}, .key_is_one = true, .check_one_in = 7});
}

/* One address, told by SOURCE. */
static inline bool add(struct addrman *a, struct peer_addr addr, const char *source)
{
    struct netaddr from = ip(source);
    return addrman_add(a, &addr, 1, &from, 0, NOW_S) == 1;
}

static inline bool good(struct addrman *a, struct endpoint e)
{
    return addrman_good(a, &e, NOW_S);
}

static inline size_t size(const struct addrman *a)
{
    return addrman_size(a, NET_COUNT, ADDRMAN_BOTH);
}

/* What is chosen as text, or "". The text is good until the next call. */
static inline const char *selected(struct addrman *a, bool new_only, uint32_t networks)
{
    static char text[ENDPOINT_TEXT];
    struct peer_addr out;
    return addrman_select(a, new_only, networks, NOW_S, &out, NULL) ? endpoint_text(text, &out.at) : "";
}

/* The tried address that is to be tested as text, or "". */
static inline const char *to_test(struct addrman *a)
{
    static char text[ENDPOINT_TEXT];
    struct peer_addr out;
    return addrman_select_tried_collision(a, &out, NULL) ? endpoint_text(text, &out.at) : "";
}

#endif
