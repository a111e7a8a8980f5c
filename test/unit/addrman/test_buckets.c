/* Where addresses belong: values that Bitcoin Core's tests fix for known keys, and how far one group reaches. */
#include "kit.h"

#include <stdio.h>

#include "addrman/buckets.h"
#include "crypto/sha256.h"

static void key_from(uint8_t key[32], uint8_t number)
{
    uint8_t bytes[4] = {number};
    sha256d(key, bytes, sizeof(bytes));
}

/* Distinct values among the buckets noted in SEEN. */
static size_t distinct(const bool *seen, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += seen[i];
    return found;
}

static struct endpoint numbered(const char *format, int n)
{
    char text[32];
    snprintf(text, sizeof(text), format, n);
    return service(text, 0);
}

Test(buckets, tried)
{
    uint8_t key1[32], key2[32];
    key_from(key1, 1);
    key_from(key2, 2);
    struct endpoint one = service("250.1.1.1", 8333), two = service("250.1.1.1", 9999);
    cr_assert_eq(bucket_of_tried(key1, &one), 40);
    cr_assert_neq(bucket_of_tried(key2, &one), 40);
    cr_assert_neq(bucket_of_tried(key1, &two), 40);

    bool seen[ADDRMAN_TRIED_BUCKETS] = {false};
    for (int i = 0; i < 255; i++) {
        struct endpoint e = numbered("250.1.1.%d", i);
        seen[bucket_of_tried(key1, &e)] = true;
    }
    cr_assert_eq(distinct(seen, ADDRMAN_TRIED_BUCKETS), 8, "one group");
    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < 255; i++) {
        struct endpoint e = numbered("250.%d.1.1", i);
        seen[bucket_of_tried(key1, &e)] = true;
    }
    cr_assert_eq(distinct(seen, ADDRMAN_TRIED_BUCKETS), 160, "many groups");
}

Test(buckets, new_table)
{
    uint8_t key1[32], key2[32];
    key_from(key1, 1);
    key_from(key2, 2);
    struct netaddr addr = ip("250.1.2.1"), source = ip("250.1.2.1");
    cr_assert_eq(bucket_of_new(key1, &addr, &source), 786);
    cr_assert_neq(bucket_of_new(key2, &addr, &source), 786);

    bool seen[ADDRMAN_NEW_BUCKETS] = {false};
    for (int i = 0; i < 255; i++) {
        struct endpoint e = numbered("250.1.1.%d", i);
        seen[bucket_of_new(key1, &e.addr, &e.addr)] = true;
    }
    cr_assert_eq(distinct(seen, ADDRMAN_NEW_BUCKETS), 1, "one group, told by itself");

    memset(seen, 0, sizeof(seen));
    source = ip("251.4.1.1");
    for (int j = 0; j < 4 * 255; j++) {
        char text[32];
        snprintf(text, sizeof(text), "%d.%d.1.1", 250 + j / 255, j % 256);
        addr = ip(text);
        seen[bucket_of_new(key1, &addr, &source)] = true;
    }
    cr_assert_leq(distinct(seen, ADDRMAN_NEW_BUCKETS), 64, "one source's group");
    cr_assert_geq(distinct(seen, ADDRMAN_NEW_BUCKETS), 56);

    memset(seen, 0, sizeof(seen));
    addr = ip("250.1.1.1");
    for (int p = 0; p < 255; p++) {
        struct endpoint from = numbered("250.%d.1.1", p);
        seen[bucket_of_new(key1, &addr, &from.addr)] = true;
    }
    cr_assert_gt(distinct(seen, ADDRMAN_NEW_BUCKETS), 64, "many sources");
}

/* The places that Bitcoin Core's rpc_net.py expects under -test=addrman, for addresses that told themselves. */
Test(buckets, places_of_every_network)
{
    static const struct {
        const char *text;
        uint16_t port;
        bool tried, cjdns;
        unsigned bucket, position;
    } rows[] = {
        {"2.0.0.0", 8333, false, false, 82, 8},
        {"fc00:1:2:3:4:5:6:7", 8333, false, true, 336, 24},
        {"c4gfnttsuwqomiygupdqqqyy5y5emnk5c73hrfvatri67prd7vyq.b32.i2p", 8333, false, false, 963, 46},
        {"2803:0:1234:abcd::1", 45324, false, false, 613, 6},
        {"1.2.3.4", 8333, true, false, 6, 33},
        {"1233:3432:2434:2343:3234:2345:6546:4534", 8333, true, false, 197, 34},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 8333, true, false, 72, 61},
        {"nrfj6inpyf73gpkyool35hcmne5zwfmse3jl3aw23vk7chdemalyaqad.onion", 45324, true, false, 139, 46},
    };
    struct addrman *a = with_key_one(0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_addr addr = fresh(rows[i].text, rows[i].port);
        if (rows[i].cjdns) netaddr_flip_to_cjdns(&addr.at.addr);
        cr_assert_eq(addrman_add(a, &addr, 1, &addr.at.addr, 0, NOW_S), 1);
        if (rows[i].tried) cr_assert(good(a, addr.at));
        struct addrman_position p;
        cr_assert(addrman_find(a, &addr.at, NULL, &p));
        cr_assert(p.tried == rows[i].tried && p.multiplicity == 1, "%s", rows[i].text);
        cr_assert(p.bucket == rows[i].bucket && p.position == rows[i].position, "%s: %u/%u", rows[i].text, p.bucket,
                  p.position);
    }
    cr_assert_eq(addrman_size(a, NET_ONION, ADDRMAN_TRIED), 2);
    cr_assert_eq(addrman_size(a, NET_CJDNS, ADDRMAN_NEW), 1);
    cr_assert_eq(addrman_size(a, NET_IPV4, ADDRMAN_BOTH), 2);
    cr_assert_eq(addrman_size(a, NET_COUNT, ADDRMAN_NEW), 4);
    addrman_free(a);
}
