/* version and what is negotiated around it: BIP14, 31, 130, 133, 152, 155, 330, 339, 434. */
#include "wire/message_rows.h"
#include "wire/payload.h"

enum message_status empty_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)m;
    (void)r;
    (void)arena;
    return MESSAGE_OK;
}

void empty_message_write(struct buffer *out, const struct message *m)
{
    (void)out;
    (void)m;
}

static void read_endpoint(struct endpoint *e, struct reader *r)
{
    netaddr_read_v1(&e->addr, r);
    e->port = read_be16(r);
}

static void write_endpoint(struct buffer *out, const struct endpoint *e)
{
    netaddr_write_v1(out, &e->addr);
    buffer_put_be16(out, e->port);
}

/* What was added over the years may be left out from the end. */
enum message_status version_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct version_message *v = &m->as.version;
    *v = (struct version_message){.me.addr = netaddr_none(), .nonce = 1, .start_height = -1, .relay = true};
    v->version = (int32_t)read_le32(r);
    v->services = read_le64(r);
    v->time = (int64_t)read_le64(r);
    if (v->time < 0) v->time = 0;
    v->your_services = read_le64(r);
    read_endpoint(&v->you, r);
    if (reader_left(r)) {
        v->my_services = read_le64(r);
        read_endpoint(&v->me, r);
        v->nonce = read_le64(r);
    }
    if (reader_left(r)) {
        uint64_t len = read_compact_size(r);
        if (len > MAX_USER_AGENT) reader_fail(r);
        v->user_agent = read_span(r, (size_t)len);
    }
    if (reader_left(r)) v->start_height = (int32_t)read_le32(r);
    if (reader_left(r)) v->relay = read_u8(r) != 0;
    return message_status_of(r);
}

void version_message_write(struct buffer *out, const struct message *m)
{
    const struct version_message *v = &m->as.version;
    buffer_put_le32(out, (uint32_t)v->version);
    buffer_put_le64(out, v->services);
    buffer_put_le64(out, (uint64_t)v->time);
    buffer_put_le64(out, v->your_services);
    write_endpoint(out, &v->you);
    buffer_put_le64(out, v->my_services);
    write_endpoint(out, &v->me);
    buffer_put_le64(out, v->nonce);
    buffer_put_var_bytes(out, v->user_agent);
    buffer_put_le32(out, (uint32_t)v->start_height);
    buffer_put_u8(out, v->relay);
}

enum message_status sendcmpct_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.sendcmpct.high_bandwidth = read_u8(r);
    m->as.sendcmpct.version = read_le64(r);
    return message_check_limit(m, r, m->as.sendcmpct.high_bandwidth);
}

void sendcmpct_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_u8(out, m->as.sendcmpct.high_bandwidth);
    buffer_put_le64(out, m->as.sendcmpct.version);
}

enum message_status feefilter_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.feefilter = (int64_t)read_le64(r);
    return message_status_of(r);
}

void feefilter_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_le64(out, (uint64_t)m->as.feefilter);
}

/* Strict, so that others can tell what was agreed: any error ends the connection, bytes left over too. */
enum message_status feature_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    struct feature_message *f = &m->as.feature;
    f->id = read_var_bytes(r);
    f->data = read_var_bytes(r);
    bool ok = !r->failed && reader_left(r) == 0 && f->id.len >= MIN_FEATURE_ID && f->id.len <= MAX_FEATURE_ID &&
              f->data.len <= MAX_FEATURE_DATA;
    return ok ? MESSAGE_OK : MESSAGE_DISCONNECT;
}

void feature_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_var_bytes(out, m->as.feature.id);
    buffer_put_var_bytes(out, m->as.feature.data);
}

enum message_status sendtxrcncl_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.sendtxrcncl.version = read_le32(r);
    m->as.sendtxrcncl.salt = read_le64(r);
    return message_status_of(r);
}

void sendtxrcncl_message_write(struct buffer *out, const struct message *m)
{
    buffer_put_le32(out, m->as.sendtxrcncl.version);
    buffer_put_le64(out, m->as.sendtxrcncl.salt);
}

/* Nothing at all is the ping of old; part of a nonce is a broken one. */
enum message_status ping_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.ping.has_nonce = reader_left(r) != 0;
    if (m->as.ping.has_nonce) m->as.ping.nonce = read_le64(r);
    return message_status_of(r);
}

void ping_message_write(struct buffer *out, const struct message *m)
{
    if (m->as.ping.has_nonce) buffer_put_le64(out, m->as.ping.nonce);
}

/* A short one is an answer all the same: it ends the wait. */
enum message_status pong_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    (void)arena;
    m->as.ping.has_nonce = reader_left(r) >= 8;
    if (m->as.ping.has_nonce) m->as.ping.nonce = read_le64(r);
    return MESSAGE_OK;
}

void pong_message_write(struct buffer *out, const struct message *m)
{
    ping_message_write(out, m);
}

void user_agent_put(struct buffer *out, const char *name, const char *version, const char *const *comments,
                    size_t count)
{
    if (out->len == 0) buffer_put_str(out, "/");
    buffer_printf(out, "%s:%s", name, version);
    for (size_t i = 0; i < count; i++) buffer_printf(out, "%s%s", i == 0 ? "(" : "; ", comments[i]);
    buffer_put_str(out, count ? ")/" : "/");
}
