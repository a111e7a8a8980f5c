/* Announcing, asking and answering: addr and addrv2 (BIP155), inv, getdata, notfound, locators, headers, and the raw
 * blocks and transactions. */
#include "wire/message_rows.h"
#include "wire/payload.h"

enum { ADDR_V1_BYTES = 30, ADDR_V2_MIN = 9, INV_BYTES = 36, HEADER_ENTRY_MIN = HEADER_BYTES + 1 };

static enum addr_format format_of(const struct message *m)
{
    return m->type == MESSAGE_ADDRV2 ? ADDR_V2 : ADDR_V1;
}

/* Beyond the limit all entries are read, since a broken one among them would count first, but none is kept. */
enum message_status addr_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    struct addr_message *a = &m->as.addr;
    struct peer_addr beyond;
    enum addr_format format = format_of(m);
    size_t count = read_count(r, format == ADDR_V2 ? ADDR_V2_MIN : ADDR_V1_BYTES);
    bool keep = count <= message_row(m->type)->limit;
    if (keep) a->addrs = arena_alloc_array(arena, count, sizeof(*a->addrs));
    for (size_t i = 0; i < count && !r->failed; i++) peer_addr_read(keep ? &a->addrs[i] : &beyond, r, format);
    a->count = keep ? count : 0;
    return message_check_limit(m, r, count);
}

void addr_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_compact_size(out, m->as.addr.count);
    for (size_t i = 0; i < m->as.addr.count; i++) peer_addr_write(out, &m->as.addr.addrs[i], format_of(m));
}

bool inv_is_tx(const struct inv *i)
{
    return i->type == INV_TX || i->type == INV_WTX || i->type == INV_WITNESS_TX;
}

bool inv_is_block(const struct inv *i)
{
    return i->type == INV_BLOCK || i->type == INV_FILTERED_BLOCK || i->type == INV_CMPCT_BLOCK ||
           i->type == INV_WITNESS_BLOCK;
}

enum message_status inv_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    struct inv_message *v = &m->as.inv;
    size_t count = read_count(r, INV_BYTES);
    enum message_status status = message_check_limit(m, r, count);
    if (status != MESSAGE_OK) return status;
    v->items = arena_alloc_array(arena, count, sizeof(*v->items));
    v->count = count;
    for (size_t i = 0; i < count; i++) {
        v->items[i].type = read_le32(r);
        read_bytes(r, v->items[i].hash, 32);
    }
    return MESSAGE_OK;
}

void inv_message_write(struct buffer *out, const struct message *m)
{
    const struct inv_message *v = &m->as.inv;
    buffer_put_compact_size(out, v->count);
    for (size_t i = 0; i < v->count; i++) {
        buffer_put_le32(out, v->items[i].type);
        buffer_put(out, v->items[i].hash, 32);
    }
}

enum message_status locator_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    struct locator_message *l = &m->as.locator;
    l->version = read_le32(r);
    struct span hashes = read_hashes(r);
    read_bytes(r, l->stop.bytes, 32);
    enum message_status status = message_check_limit(m, r, hashes.len / 32);
    if (status != MESSAGE_OK) return status;
    l->count = hashes.len / 32;
    l->hashes = arena_alloc_array(arena, l->count, sizeof(*l->hashes));
    if (l->count) memcpy(l->hashes, hashes.data, hashes.len);
    return MESSAGE_OK;
}

void locator_message_write(struct buffer *out, const struct message *m)
{
    const struct locator_message *l = &m->as.locator;
    buffer_put_le32(out, l->version);
    buffer_put_hashes(out, span_of(l->hashes, 32 * l->count));
    buffer_put(out, l->stop.bytes, 32);
}

/* The limit counts before the headers do: a promise of too many is enough. Each comes with a number of transactions,
 * which is of no interest. */
enum message_status headers_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    struct headers_message *h = &m->as.headers;
    uint64_t count = read_compact_size(r);
    enum message_status status = message_check_limit(m, r, (size_t)count);
    if (status != MESSAGE_OK) return status;
    if (count > reader_left(r) / HEADER_ENTRY_MIN) return MESSAGE_MALFORMED;
    h->headers = arena_alloc_array(arena, (size_t)count, sizeof(*h->headers));
    h->count = (size_t)count;
    for (size_t i = 0; i < h->count; i++) {
        block_header_read(&h->headers[i], r);
        (void)read_compact_size(r);
    }
    return message_status_of(r);
}

void headers_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_compact_size(out, m->as.headers.count);
    for (size_t i = 0; i < m->as.headers.count; i++) {
        block_header_write(buffer_extend(out, HEADER_BYTES), &m->as.headers.headers[i]);
        buffer_put_u8(out, 0);
    }
}

enum message_status raw_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.raw.raw = read_span(r, reader_left(r));
    return MESSAGE_OK;
}

void raw_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_span(out, m->as.raw.raw);
}
