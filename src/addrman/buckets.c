/* The arithmetic of buckets: SHA256d over the key and length-prefixed parts, the first 64 bits of it as a number. */
#include "addrman/buckets.h"

#include "addrman/addrman.h"
#include "base/endian.h"
#include "crypto/sha256.h"

enum { TRIED_BUCKETS_PER_GROUP = 8, NEW_BUCKETS_PER_SOURCE_GROUP = 64 };

static struct sha256 keyed(const uint8_t key[32])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_put(&h, key, 32);
    return h;
}

/* LEN is below 253, so that its CompactSize is one byte. */
static void put_bytes(struct sha256 *h, const uint8_t *bytes, size_t len)
{
    uint8_t count = (uint8_t)len;
    sha256_put(h, &count, 1);
    sha256_put(h, bytes, len);
}

static void put_group(struct sha256 *h, const struct netgroup *g)
{
    put_bytes(h, g->bytes, g->len);
}

static void put_endpoint(struct sha256 *h, const struct endpoint *e)
{
    uint8_t bytes[NETADDR_BYTES + 2];
    put_bytes(h, bytes, endpoint_key_bytes(bytes, e));
}

static uint64_t number(struct sha256 *h)
{
    uint8_t hash[32];
    sha256_final_double(h, hash);
    return get_le64(hash);
}

unsigned bucket_of_tried(const uint8_t key[32], const struct endpoint *e)
{
    struct sha256 h = keyed(key);
    put_endpoint(&h, e);
    uint64_t choice = number(&h) % TRIED_BUCKETS_PER_GROUP;
    struct netgroup group = netaddr_group(&e->addr);
    h = keyed(key);
    put_group(&h, &group);
    sha256_put_le64(&h, choice);
    return number(&h) % ADDRMAN_TRIED_BUCKETS;
}

unsigned bucket_of_new(const uint8_t key[32], const struct netaddr *addr, const struct netaddr *source)
{
    struct netgroup group = netaddr_group(addr), source_group = netaddr_group(source);
    struct sha256 h = keyed(key);
    put_group(&h, &group);
    put_group(&h, &source_group);
    uint64_t choice = number(&h) % NEW_BUCKETS_PER_SOURCE_GROUP;
    h = keyed(key);
    put_group(&h, &source_group);
    sha256_put_le64(&h, choice);
    return number(&h) % ADDRMAN_NEW_BUCKETS;
}

unsigned bucket_position(const uint8_t key[32], bool in_new, unsigned bucket, const struct endpoint *e)
{
    uint8_t table = in_new ? 'N' : 'K';
    struct sha256 h = keyed(key);
    sha256_put(&h, &table, 1);
    sha256_put_le32(&h, bucket);
    put_endpoint(&h, e);
    return number(&h) % ADDRMAN_BUCKET_SIZE;
}
