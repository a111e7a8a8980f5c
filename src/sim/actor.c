/* What hostile hosts say and answer. */
#include "sim/actor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/sha256.h"

enum { HEADERS_AT_ONCE = 2000, SLOW_ONE_IN = 6, OLD_DEPTH = 20, GARBAGE_MAX = 1 << 20, COINBASE_VERSION_AT = 81 };

uint32_t actor_number(struct actor_end *end, const struct sim_line *line)
{
    return (uint32_t)sim_between(end->s, line->from, line->to);
}

void actor_send(struct actor_end *end, const struct message *m)
{
    struct buffer payload = {0};
    message_write(&payload, m);
    sim_send(end->s, end->link, end->side, message_row(m->type)->name, &payload);
}

static void say_empty(struct actor_end *end, enum message_type type)
{
    struct buffer nothing = {0};
    sim_send(end->s, end->link, end->side, message_row(type)->name, &nothing);
}

void actor_send_version(struct actor_end *end)
{
    struct sim *s = end->s;
    const struct sim_link *l = end->link;
    struct message m = {.type = MESSAGE_VERSION};
    m.as.version = (struct version_message){.version = PROTOCOL_WTXIDRELAY,
                                            .services = NODE_NETWORK | NODE_WITNESS,
                                            .my_services = NODE_NETWORK | NODE_WITNESS,
                                            .time = 1700000000 + s->now_us / SIM_SECOND_US,
                                            .you = s->hosts[l->side[1 - end->side].host]->at,
                                            .me = s->hosts[l->side[end->side].host]->at,
                                            .user_agent = span_str("/Satoshi:0.0.0/"),
                                            .start_height = s->best->height,
                                            .relay = true};
    m.as.version.nonce = random_u64(&s->random);
    end->conn->version_sent = true;
    actor_send(end, &m);
}

/* ---- blocks and headers ---- */

static void send_headers(struct actor_end *end, struct span headers)
{
    struct buffer payload = {0};
    size_t count = headers.len / HEADER_BYTES;
    struct buffer number = {0};
    buffer_put_u8(&payload, 0xfd);
    buffer_put_le16(&payload, (uint16_t)count);
    if (count < 0xfd) {
        payload.len = 0;
        buffer_put_u8(&payload, (uint8_t)count);
    }
    for (size_t i = 0; i < count; i++) {
        buffer_put(&payload, headers.data + i * HEADER_BYTES, HEADER_BYTES);
        buffer_put_u8(&payload, 0);
    }
    buffer_clear(&number);
    sim_send(end->s, end->link, end->side, "headers", &payload);
}

/* Up to so many headers of the best chain behind height AFTER. */
static void send_best(struct actor_end *end, int32_t after)
{
    struct sim *s = end->s;
    struct buffer headers = {0};
    struct sim_block *list[HEADERS_AT_ONCE];
    size_t count = 0;
    for (struct sim_block *b = s->best; b && b->height > after; b = b->parent)
        if (b->height <= after + HEADERS_AT_ONCE) list[count++] = b;
    while (count) buffer_put(&headers, list[--count]->raw.data, HEADER_BYTES);
    send_headers(end, buffer_span(&headers));
    buffer_clear(&headers);
}

static void send_low(struct actor_end *end, uint32_t count)
{
    struct sim *s = end->s;
    struct buffer headers = {0};
    /* Whoever has the most work is right, also where it is hostile: stay below it. */
    uint32_t limit = (uint32_t)s->best->height / 2;
    if (count > limit && !s->swarm.min_work) count = limit;
    if (s->swarm.min_work && count > s->swarm.premined / 2) count = s->swarm.premined / 2;
    if (!count) return;
    sim_forge_headers(s, count, &headers);
    send_headers(end, buffer_span(&headers));
    buffer_clear(&headers);
}

static void send_orphan(struct actor_end *end)
{
    struct sim *s = end->s;
    struct sim_block strange = {.height = 1000, .time = s->best->time};
    random_bytes(&s->random, strange.hash.bytes, 32);
    struct buffer raw = {0};
    struct block_header h = {.version = 0x20000000, .prev = strange.hash, .time = strange.time, .bits = 0x207fffff};
    for (h.nonce = 0; h.nonce < 100; h.nonce++) { /* the work need not be there */
        raw.len = 0;
        block_header_write(buffer_extend(&raw, HEADER_BYTES), &h);
        uint8_t hash[32];
        sha256d(hash, raw.data, HEADER_BYTES);
        if (hash[31] < 0x7f) break;
    }
    send_headers(end, buffer_span(&raw));
    buffer_clear(&raw);
}

/* A block of this kind and its bytes (to be cleared), which differ from it where they were altered. */
static struct sim_block *make_block(struct actor_end *end, const char *kind, struct buffer *raw)
{
    struct sim *s = end->s;
    uint32_t now = (uint32_t)(1700000000 + s->now_us / SIM_SECOND_US);
    struct sim_block *b = s->best;
    bool altered = !strcmp(kind, "mutated") || !strcmp(kind, "witness");
    if (!strcmp(kind, "old")) {
        for (unsigned i = 0; i < OLD_DEPTH && b->parent; i++) b = b->parent;
        b = b == s->best ? NULL : sim_forge_block(s, b, "none", 0);
    } else if (strcmp(kind, "good") != 0 && !altered) {
        b = sim_forge_block(s, b, kind, now);
    }
    if (!b || !b->parent) return NULL;
    buffer_put_span(raw, buffer_span(&b->raw));
    if (!strcmp(kind, "mutated")) raw->data[COINBASE_VERSION_AT] ^= 1;
    if (!strcmp(kind, "witness")) raw->data[raw->len - 5] ^= 1; /* of a block without spends: the reserved value */
    return b;
}

static void send_raw_block(struct actor_end *end, struct buffer *raw)
{
    sim_send(end->s, end->link, end->side, "block", raw);
}

static void send_compact(struct actor_end *end, struct buffer *raw)
{
    struct block *b = block_parse(buffer_span(raw));
    if (!b) return;
    struct message m = {.type = MESSAGE_CMPCTBLOCK};
    struct arena arena = {0};
    compact_block_make(&m.as.cmpctblock, b, random_u64(&end->s->random), &arena);
    actor_send(end, &m);
    arena_clear(&arena);
    block_free(b);
}

static void say_block(struct actor_end *end, const struct sim_line *line)
{
    struct buffer raw = {0};
    struct sim_block *b = make_block(end, line->word, &raw);
    if (b && line->op == DO_COMPACT) send_compact(end, &raw);
    if (b && line->op != DO_COMPACT) send_headers(end, span_of(raw.data, HEADER_BYTES));
    if (b && line->op == DO_BLOCK) send_raw_block(end, &raw);
    buffer_clear(&raw);
}

static void say_headers(struct actor_end *end, const struct sim_line *line)
{
    if (!strcmp(line->word, "low"))
        send_low(end, actor_number(end, line));
    else if (!strcmp(line->word, "orphan"))
        send_orphan(end);
    else
        send_best(end, end->s->best->height > 2000 ? end->s->best->height - 2000 : 0);
}

/* ---- floods and rubbish ---- */

static void say_inv(struct actor_end *end, enum message_type type, uint32_t count, bool existing)
{
    struct sim *s = end->s;
    struct inv *items = mem_calloc(count ? count : 1, sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        items[i].type = existing ? (uint32_t)INV_WITNESS_BLOCK : (uint32_t)INV_BLOCK;
        if (existing)
            memcpy(items[i].hash, s->block_list[random_below(&s->random, s->block_count)]->hash.bytes, 32);
        else
            random_bytes(&s->random, items[i].hash, 32);
    }
    struct message m = {.type = type, .as.inv = {.items = items, .count = count}};
    actor_send(end, &m);
    free(items);
}

static void say_addr(struct actor_end *end, uint32_t count)
{
    struct sim *s = end->s;
    struct peer_addr *list = mem_calloc(count ? count : 1, sizeof(*list));
    const struct sim_pool *pool = &s->pools[s->actors[s->hosts[end->link->side[end->side].host]->actor].pool];
    for (uint32_t i = 0; i < count; i++) {
        uint8_t ip[4] = {66, 0, 0, 0};
        if (pool->count) {
            memcpy(ip, s->hosts[pool->first + random_below(&s->random, pool->count)]->at.addr.bytes, 4);
        } else {
            random_bytes(&s->random, ip + 1, 3);
        }
        list[i] = (struct peer_addr){.at = {.addr = netaddr_ipv4(ip), .port = SIM_PORT},
                                     .services = NODE_NETWORK | NODE_WITNESS,
                                     .time = (uint32_t)(1700000000 + s->now_us / SIM_SECOND_US)};
    }
    struct message m = {.type = MESSAGE_ADDR, .as.addr = {.addrs = list, .count = count}};
    actor_send(end, &m);
    free(list);
}

static void say_getheaders(struct actor_end *end)
{
    struct message m = {.type = MESSAGE_GETHEADERS};
    m.as.locator = (struct locator_message){.version = 70016, .hashes = &end->s->params.genesis_hash, .count = 1};
    actor_send(end, &m);
}

static void random_payload(struct actor_end *end, struct buffer *out, uint32_t len)
{
    if (len > GARBAGE_MAX) len = GARBAGE_MAX;
    random_bytes(&end->s->random, buffer_extend(out, len), len);
}

static void raw_header(struct actor_end *end, struct buffer *out, const char *name, uint32_t len, uint32_t checksum)
{
    char padded[MESSAGE_NAME_BYTES] = {0};
    memcpy(padded, name, strlen(name) < sizeof(padded) ? strlen(name) : sizeof(padded));
    buffer_put(out, end->s->params.magic, 4);
    buffer_put(out, padded, sizeof(padded));
    buffer_put_le32(out, len);
    buffer_put_le32(out, checksum);
}

static void say_rubbish(struct actor_end *end, const struct sim_line *line)
{
    struct buffer raw = {0};
    struct sim *s = end->s;
    switch (line->op) {
    case DO_GARBAGE: random_payload(end, &raw, actor_number(end, line)); break;
    case DO_OVERSIZE: raw_header(end, &raw, line->word, MESSAGE_PAYLOAD_MAX + 1, 0); break;
    case DO_CHECKSUM:
        raw_header(end, &raw, line->word, 10, 0xdeadbeef);
        random_payload(end, &raw, 10);
        break;
    case DO_CUT:
        raw_header(end, &raw, "headers", 2000, 0);
        random_payload(end, &raw, 100);
        break;
    case DO_UNKNOWN:
        random_payload(end, &raw, actor_number(end, line));
        sim_send(s, end->link, end->side, "whatisthis", &raw);
        return;
    default:
        random_payload(end, &raw, (uint32_t)random_below(&s->random, 60));
        sim_send(s, end->link, end->side, line->word, &raw);
        return;
    }
    sim_send(s, end->link, end->side, NULL, &raw);
}

void actor_say(struct actor_end *end, const struct sim_line *line)
{
    struct message ping = {.type = MESSAGE_PING, .as.ping = {.has_nonce = true, .nonce = 7}};
    switch (line->op) {
    case DO_PING:
        for (uint32_t i = actor_number(end, line); i; i--) actor_send(end, &ping);
        break;
    case DO_INV: say_inv(end, MESSAGE_INV, actor_number(end, line), false); break;
    case DO_GETDATA: say_inv(end, MESSAGE_GETDATA, actor_number(end, line), false); break;
    case DO_GETBLOCK: say_inv(end, MESSAGE_GETDATA, actor_number(end, line), true); break;
    case DO_GETHEADERS: say_getheaders(end); break;
    case DO_GETADDR: say_empty(end, MESSAGE_GETADDR); break;
    case DO_HEADERS: say_headers(end, line); break;
    case DO_BLOCK:
    case DO_ANNOUNCE:
    case DO_COMPACT: say_block(end, line); break;
    case DO_TX:
    case DO_TXINV:
    case DO_TXREAL:
    case DO_GETTX: actor_say_tx(end, line); break;
    case DO_ADDR: say_addr(end, actor_number(end, line)); break;
    default: say_rubbish(end, line); break;
    }
}

/* ---- answers ---- */

/* The height of the first block of the locator that lies on the best chain. */
static int32_t locator_height(struct sim *s, const struct locator_message *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct sim_block *known = sim_block_find(s, &m->hashes[i]), *b = s->best;
        if (!known) continue;
        while (b && b->height > known->height) b = b->parent;
        if (b == known) return known->height;
    }
    return 0;
}

static void answer_getdata(struct actor_end *end, const struct message *m)
{
    struct sim *s = end->s;
    const char *how = end->conn->serve;
    for (size_t i = 0; i < m->as.inv.count; i++) {
        struct block_hash hash;
        if (actor_serve_tx(end, &m->as.inv.items[i])) continue;
        memcpy(hash.bytes, m->as.inv.items[i].hash, 32);
        struct sim_block *b = sim_block_find(s, &hash);
        if (!strcmp(how, "slow") && random_below(&s->random, SLOW_ONE_IN)) continue;
        if (!b || !strcmp(how, "notfound")) {
            struct message no = {.type = MESSAGE_NOTFOUND, .as.inv = {.items = &m->as.inv.items[i], .count = 1}};
            actor_send(end, &no);
            continue;
        }
        struct buffer raw = {0};
        buffer_put_span(&raw, buffer_span(&b->raw));
        if (!strcmp(how, "mutate")) raw.data[COINBASE_VERSION_AT] ^= 1;
        send_raw_block(end, &raw);
    }
}

static void answer_getblocktxn(struct actor_end *end, const struct message *m)
{
    struct sim_block *known = sim_block_find(end->s, &m->as.getblocktxn.block);
    struct block *b = known ? block_parse(buffer_span(&known->raw)) : NULL;
    if (!b) return;
    const struct getblocktxn_message *g = &m->as.getblocktxn;
    struct message out = {.type = MESSAGE_BLOCKTXN, .as.blocktxn = {.block = g->block}};
    struct tx *txs = mem_calloc(g->count ? g->count : 1, sizeof(*txs));
    out.as.blocktxn.txs = txs;
    bool honest = strcmp(end->conn->serve, "mutate") != 0;
    for (size_t i = 0; i < g->count; i++)
        if (g->indexes[i] < b->tx_count) txs[out.as.blocktxn.count++] = b->txs[honest ? g->indexes[i] : 0];
    actor_send(end, &out);
    free(txs);
    block_free(b);
}

static void answer_version(struct actor_end *end)
{
    struct sim_actor_conn *c = end->conn;
    c->version_received = true;
    if (!c->version_sent) actor_send_version(end);
    if (!c->no_verack) say_empty(end, MESSAGE_VERACK);
}

static void answer(struct actor_end *end, const struct message *m)
{
    struct sim_actor_conn *c = end->conn;
    bool served = strcmp(c->serve, "silent") != 0;
    struct message pong = *m;
    pong.type = MESSAGE_PONG;
    switch (m->type) {
    case MESSAGE_VERSION: answer_version(end); break;
    case MESSAGE_VERACK: c->shaken = true; break;
    case MESSAGE_PING: actor_send(end, &pong); break;
    case MESSAGE_GETADDR:
        if (served) say_addr(end, end->s->seed_pool.count ? 250 : 3);
        break;
    case MESSAGE_GETHEADERS:
        if (served) send_best(end, locator_height(end->s, &m->as.locator));
        break;
    case MESSAGE_GETDATA:
        if (served) answer_getdata(end, m);
        break;
    case MESSAGE_GETBLOCKTXN:
        if (served) answer_getblocktxn(end, m);
        break;
    default: break;
    }
}

void actor_answer(struct actor_end *end, struct received *m)
{
    struct arena arena = {0};
    struct message message;
    enum message_type type = message_type_of(m->name);
    if (type != MESSAGE_UNKNOWN && message_read(&message, type, buffer_span(&m->payload), &arena) == MESSAGE_OK)
        answer(end, &message);
    arena_clear(&arena);
}
