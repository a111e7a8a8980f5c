/* Bloom filters and merkle blocks (BIP37), compact filters (BIP157). */
#include "wire/message_rows.h"
#include "wire/payload.h"

enum message_status merkleblock_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct merkleblock_message *b = &m->as.merkleblock;
    block_header_read(&b->header, r);
    b->tx_total = read_le32(r);
    b->hashes = read_hashes(r);
    b->flags = read_var_bytes(r);
    return message_status_of(r);
}

void merkleblock_message_write(struct buffer *out, const struct message *m)
{
    const struct merkleblock_message *b = &m->as.merkleblock;
    block_header_write(buffer_extend(out, HEADER_BYTES), &b->header);
    buffer_put_le32(out, b->tx_total);
    buffer_put_hashes(out, b->hashes);
    buffer_put_var_bytes(out, b->flags);
}

enum message_status filterload_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct filterload_message *f = &m->as.filterload;
    f->filter = read_var_bytes(r);
    f->functions = read_le32(r);
    f->tweak = read_le32(r);
    f->flags = read_u8(r);
    enum message_status status = message_check_limit(m, r, f->filter.len);
    return status == MESSAGE_OK && f->functions > MAX_BLOOM_FUNCTIONS ? MESSAGE_MISBEHAVES : status;
}

void filterload_message_write(struct buffer *out, const struct message *m)
{
    const struct filterload_message *f = &m->as.filterload;
    buffer_put_var_bytes(out, f->filter);
    buffer_put_le32(out, f->functions);
    buffer_put_le32(out, f->tweak);
    buffer_put_u8(out, f->flags);
}

enum message_status filteradd_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.filteradd.element = read_var_bytes(r);
    return message_check_limit(m, r, m->as.filteradd.element.len);
}

void filteradd_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_var_bytes(out, m->as.filteradd.element);
}

enum message_status getcfilters_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct getcfilters_message *g = &m->as.getcfilters;
    g->filter_type = read_u8(r);
    g->start_height = read_le32(r);
    read_bytes(r, g->stop.bytes, 32);
    return message_status_of(r);
}

void getcfilters_message_write(struct buffer *out, const struct message *m)
{
    const struct getcfilters_message *g = &m->as.getcfilters;
    buffer_put_u8(out, g->filter_type);
    buffer_put_le32(out, g->start_height);
    buffer_put(out, g->stop.bytes, 32);
}

enum message_status getcfcheckpt_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.getcfilters.filter_type = read_u8(r);
    read_bytes(r, m->as.getcfilters.stop.bytes, 32);
    return message_status_of(r);
}

void getcfcheckpt_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_u8(out, m->as.getcfilters.filter_type);
    buffer_put(out, m->as.getcfilters.stop.bytes, 32);
}

enum message_status cfilter_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.cfilter.filter_type = read_u8(r);
    read_bytes(r, m->as.cfilter.block.bytes, 32);
    m->as.cfilter.filter = read_var_bytes(r);
    return message_status_of(r);
}

void cfilter_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_u8(out, m->as.cfilter.filter_type);
    buffer_put(out, m->as.cfilter.block.bytes, 32);
    buffer_put_var_bytes(out, m->as.cfilter.filter);
}

enum message_status cfheaders_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct cfheaders_message *h = &m->as.cfheaders;
    h->filter_type = read_u8(r);
    read_bytes(r, h->stop.bytes, 32);
    read_bytes(r, h->previous, 32);
    h->hashes = read_hashes(r);
    return message_status_of(r);
}

void cfheaders_message_write(struct buffer *out, const struct message *m)
{
    const struct cfheaders_message *h = &m->as.cfheaders;
    buffer_put_u8(out, h->filter_type);
    buffer_put(out, h->stop.bytes, 32);
    buffer_put(out, h->previous, 32);
    buffer_put_hashes(out, h->hashes);
}

enum message_status cfcheckpt_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct cfheaders_message *h = &m->as.cfheaders;
    h->filter_type = read_u8(r);
    read_bytes(r, h->stop.bytes, 32);
    h->hashes = read_hashes(r);
    return message_status_of(r);
}

void cfcheckpt_message_write(struct buffer *out, const struct message *m)
{
    const struct cfheaders_message *h = &m->as.cfheaders;
    buffer_put_u8(out, h->filter_type);
    buffer_put(out, h->stop.bytes, 32);
    buffer_put_hashes(out, h->hashes);
}
