/* A block put together from a compact one: what is prefilled, what candidates match the short ids, what was fetched. */

#include "crypto/siphash.h"
#include "primitives/compact_size.h"
#include "wire/compact.h"

/* A block of S transactions in S buckets or more has a bucket of more than 12 less than once in a million blocks: who
 * sends one made it so. */
enum { BUCKET_MAX = 12, TX_MIN_WEIGHT = 10 * WITNESS_SCALE_FACTOR };

enum slot_state { SLOT_MISSING, SLOT_POOL, SLOT_EXTRA, SLOT_COLLIDED };

struct partial_slot {
    uint64_t short_id;
    uint32_t next;  /* slot + 1 of the same bucket; 0 ends the chain */
    uint16_t index; /* position in the block */
    uint8_t state;
    struct wtxid wtxid; /* of the candidate that was taken */
};

static struct span keep(struct partial_block *p, struct span raw)
{
    uint8_t *copy = arena_alloc(&p->arena, raw.len);
    memcpy(copy, raw.data, raw.len);
    return span_of(copy, raw.len);
}

static struct span keep_tx(struct partial_block *p, const struct tx *tx)
{
    if (tx->raw.len) return keep(p, tx->raw);
    struct buffer raw = {0};
    tx_write(&raw, tx);
    struct span kept = keep(p, buffer_span(&raw));
    buffer_clear(&raw);
    return kept;
}

static enum partial_status place_prefilled(struct partial_block *p, const struct compact_block *c)
{
    int32_t index = -1;
    for (size_t i = 0; i < c->prefilled_count; i++) {
        const struct tx *tx = &c->prefilled[i].tx;
        if (tx->in_count == 0 && tx->out_count == 0) return PARTIAL_INVALID;
        index += c->prefilled[i].skip + 1;
        /* Beyond this, positions before it would be neither prefilled nor short. */
        if (index > UINT16_MAX || (size_t)index > c->short_count + i) return PARTIAL_INVALID;
        p->txs[index] = keep_tx(p, tx);
    }
    p->prefilled_count = c->prefilled_count;
    return PARTIAL_OK;
}

static uint32_t *bucket_of(const struct partial_block *p, uint64_t short_id)
{
    return &p->buckets[short_id & p->bucket_mask];
}

static struct partial_slot *slot_find(const struct partial_block *p, uint64_t short_id)
{
    for (uint32_t at = *bucket_of(p, short_id); at; at = p->slots[at - 1].next)
        if (p->slots[at - 1].short_id == short_id) return &p->slots[at - 1];
    return NULL;
}

/* Gives the short ids, in order, to the positions that are not prefilled. */
static enum partial_status place_short_ids(struct partial_block *p, const struct compact_block *c)
{
    size_t buckets = 1;
    while (buckets < c->short_count) buckets *= 2;
    p->bucket_mask = buckets - 1;
    p->buckets = arena_alloc_array(&p->arena, buckets, sizeof(*p->buckets));
    memset(p->buckets, 0, buckets * sizeof(*p->buckets));
    p->slots = arena_alloc_array(&p->arena, c->short_count, sizeof(*p->slots));
    size_t index = 0;
    for (size_t i = 0; i < c->short_count; i++, index++) {
        while (p->txs[index].len) index++;
        uint32_t *head = bucket_of(p, c->short_ids[i]);
        unsigned depth = 1;
        for (uint32_t at = *head; at; at = p->slots[at - 1].next, depth++)
            if (p->slots[at - 1].short_id == c->short_ids[i]) return PARTIAL_FAILED;
        if (depth > BUCKET_MAX) return PARTIAL_FAILED;
        p->slots[i] = (struct partial_slot){.short_id = c->short_ids[i], .next = *head, .index = (uint16_t)index};
        *head = (uint32_t)i + 1;
    }
    p->slot_count = c->short_count;
    return PARTIAL_OK;
}

enum partial_status partial_block_init(struct partial_block *p, const struct compact_block *c)
{
    size_t count = c->short_count + c->prefilled_count;
    if (c->header.bits == 0 || count == 0) return PARTIAL_INVALID;
    if (count > MAX_BLOCK_WEIGHT / TX_MIN_WEIGHT || count > COMPACT_TX_MAX) return PARTIAL_INVALID;
    if (p->header.bits != 0 || p->tx_count != 0) return PARTIAL_INVALID;
    p->header = c->header;
    p->k0 = c->k0;
    p->k1 = c->k1;
    p->tx_count = count;
    p->txs = arena_alloc_array(&p->arena, count, sizeof(*p->txs));
    memset(p->txs, 0, count * sizeof(*p->txs));
    enum partial_status status = place_prefilled(p, c);
    return status == PARTIAL_OK ? place_short_ids(p, c) : status;
}

static void slot_offer(struct partial_block *p, struct partial_slot *slot, const struct partial_candidate *candidate,
                       bool extra)
{
    if (slot->state == SLOT_MISSING) {
        p->txs[slot->index] = keep(p, candidate->raw);
        slot->wtxid = candidate->wtxid;
        slot->state = extra ? SLOT_EXTRA : SLOT_POOL;
        p->pool_count++;
        p->extra_count += extra;
    } else if (slot->state != SLOT_COLLIDED && !wtxid_equal(&slot->wtxid, &candidate->wtxid)) {
        /* Asking for it costs less than a block that turns out wrong. */
        p->txs[slot->index] = span_of(NULL, 0);
        p->pool_count--;
        p->extra_count -= slot->state == SLOT_EXTRA;
        slot->state = SLOT_COLLIDED;
    }
}

void partial_block_offer(struct partial_block *p, const struct partial_candidate *list, size_t count, bool extra)
{
    for (size_t i = 0; i < count && p->pool_count < p->slot_count; i++) {
        uint64_t short_id = siphash24_hash(p->k0, p->k1, list[i].wtxid.bytes) & UINT64_C(0xffffffffffff);
        struct partial_slot *slot = slot_find(p, short_id);
        if (slot) slot_offer(p, slot, &list[i], extra);
    }
}

bool partial_block_has(const struct partial_block *p, size_t index)
{
    return index < p->tx_count && p->txs[index].len != 0;
}

uint16_t *partial_block_missing(struct partial_block *p, size_t *count)
{
    size_t missing = 0;
    for (size_t i = 0; i < p->tx_count; i++) missing += p->txs[i].len == 0;
    uint16_t *list = arena_alloc_array(&p->arena, missing, sizeof(*list));
    *count = 0;
    for (size_t i = 0; i < p->tx_count; i++)
        if (p->txs[i].len == 0) list[(*count)++] = (uint16_t)i;
    return list;
}

enum partial_status partial_block_fill(struct partial_block *p, struct buffer *out, const struct tx *missing,
                                       size_t count)
{
    size_t used = 0, start = out->len;
    if (p->header.bits == 0) return PARTIAL_INVALID;
    block_header_write(buffer_extend(out, HEADER_BYTES), &p->header);
    buffer_put_compact_size(out, p->tx_count);
    for (size_t i = 0; i < p->tx_count && used <= count; i++) {
        if (p->txs[i].len)
            buffer_put_span(out, p->txs[i]);
        else if (used++ < count)
            tx_write(out, &missing[used - 1]);
    }
    partial_block_clear(p);
    if (used == count) return PARTIAL_OK;
    out->len = start;
    return PARTIAL_INVALID;
}

void partial_block_clear(struct partial_block *p)
{
    arena_clear(&p->arena);
    *p = (struct partial_block){0};
}
