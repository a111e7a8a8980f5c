/* Bans: an ordered list, and a filter of the discouraged. */
#include "addrman/bans.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"

enum { DISCOURAGED = 50000, DISCOURAGED_RARITY = 20 };

void bans_init(struct bans *b, int64_t default_s, struct random *random)
{
    *b = (struct bans){.default_s = default_s};
    rolling_bloom_init(&b->discouraged, DISCOURAGED, DISCOURAGED_RARITY, random);
}

void bans_clear(struct bans *b)
{
    free(b->items);
    rolling_bloom_clear(&b->discouraged);
    *b = (struct bans){0};
}

static int compare(const struct subnet *a, const struct subnet *b)
{
    int order = netaddr_cmp(&a->network, &b->network);
    return order ? order : memcmp(a->mask, b->mask, sizeof(a->mask));
}

/* The index of SUBNET, or of where it would go in; *FOUND tells which. */
static size_t search(const struct bans *b, const struct subnet *subnet, bool *found)
{
    size_t low = 0, high = b->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&b->items[middle].subnet, subnet);
        if (order == 0) *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The ban of SUBNET, made where there is none yet. */
static struct ban *ban_of(struct bans *b, const struct subnet *subnet, bool *found)
{
    size_t i = search(b, subnet, found);
    if (!*found) {
        b->items = mem_grow(b->items, &b->cap, b->count + 1, sizeof(*b->items));
        memmove(&b->items[i + 1], &b->items[i], (b->count - i) * sizeof(*b->items));
        b->count++;
        b->items[i] = (struct ban){.subnet = *subnet};
    }
    return &b->items[i];
}

static int64_t later(int64_t now_s, int64_t by_s)
{
    return by_s > INT64_MAX - now_s ? INT64_MAX : now_s + by_s;
}

bool bans_add(struct bans *b, const struct subnet *subnet, int64_t offset_s, bool absolute, int64_t now_s)
{
    CHECK(subnet->valid && now_s >= 0);
    int64_t until_s = offset_s;
    if (offset_s <= 0)
        until_s = later(now_s, b->default_s);
    else if (!absolute)
        until_s = later(now_s, offset_s);
    bool found;
    struct ban *ban = ban_of(b, subnet, &found);
    if (found && ban->until_s >= until_s) return false;
    ban->created_s = now_s;
    ban->until_s = until_s;
    b->changed = true;
    return true;
}

void bans_load(struct bans *b, const struct ban *bans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool found;
        CHECK(bans[i].subnet.valid);
        *ban_of(b, &bans[i].subnet, &found) = bans[i];
    }
}

static void remove_at(struct bans *b, size_t i)
{
    b->count--;
    memmove(&b->items[i], &b->items[i + 1], (b->count - i) * sizeof(*b->items));
    b->changed = true;
}

bool bans_remove(struct bans *b, const struct subnet *subnet)
{
    bool found;
    size_t i = search(b, subnet, &found);
    if (found) remove_at(b, i);
    return found;
}

void bans_remove_all(struct bans *b)
{
    b->count = 0;
    b->changed = true;
}

void bans_sweep(struct bans *b, int64_t now_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++)
        if (now_s <= b->items[i].until_s) b->items[kept++] = b->items[i];
    if (kept != b->count) b->changed = true;
    b->count = kept;
}

bool bans_has_addr(const struct bans *b, const struct netaddr *addr, int64_t now_s)
{
    for (size_t i = 0; i < b->count; i++)
        if (now_s < b->items[i].until_s && subnet_match(&b->items[i].subnet, addr)) return true;
    return false;
}

bool bans_has_subnet(const struct bans *b, const struct subnet *subnet, int64_t now_s)
{
    bool found;
    size_t i = search(b, subnet, &found);
    return found && now_s < b->items[i].until_s;
}

void bans_discourage(struct bans *b, const struct netaddr *addr)
{
    uint8_t bytes[NETADDR_BYTES];
    rolling_bloom_put(&b->discouraged, span_of(bytes, netaddr_key_bytes(bytes, addr)));
}

bool bans_is_discouraged(const struct bans *b, const struct netaddr *addr)
{
    uint8_t bytes[NETADDR_BYTES];
    return rolling_bloom_has(&b->discouraged, span_of(bytes, netaddr_key_bytes(bytes, addr)));
}
