/* What the tests of serving, announcing and compact blocks share: chains near the present, blocks with witness or with
 * spends, requests. */
#ifndef CAIRN_TEST_P2P_RELAY_KIT_H
#define CAIRN_TEST_P2P_RELAY_KIT_H

#include "harness.h"

/* COUNT blocks, the last of them half an hour old. */
static inline void grow(struct harness *h, size_t count)
{
    int64_t tip_s = chain_tip(h->kit.chain)->header.time + (int64_t)count * 600;
    if (h->wall_us / 1000000 < tip_s + 1800) harness_wait_s(h, tip_s + 1800 - h->wall_us / 1000000);
    harness_mine_many(h, count);
}

/* A block on PREV at TIME_S whose coinbase has a witness and commits to it: with and without witness it differs. */
static inline struct block *make_witness_block(const struct header_node *prev, const struct chain_params *params)
{
    static const uint8_t reserved[64];
    uint8_t script[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct sha256 s;
    sha256_init(&s);
    sha256_put(&s, reserved, sizeof(reserved));
    sha256_final_double(&s, script + 6);
    struct draft d = draft_on(prev, params, 0);
    d.coinbase_script = span_of(script, sizeof(script));
    struct block *plain = draft_mine(&d, params);
    struct span tx = plain->txs[0].raw;
    struct buffer raw = {0};
    buffer_put(&raw, plain->raw.data, HEADER_BYTES + 1 + 4);
    buffer_put(&raw, "\0\1", 2);
    buffer_put(&raw, tx.data + 4, tx.len - 8);
    buffer_put(&raw, "\1\40", 2);
    buffer_put(&raw, reserved, 32);
    buffer_put(&raw, tx.data + tx.len - 4, 4);
    struct block *b = block_parse_take(raw.data, raw.len);
    cr_assert_not_null(b);
    block_free(plain);
    return b;
}

static inline struct inv inv_of(uint32_t type, const struct block_hash *hash)
{
    struct inv i = {.type = type};
    memcpy(i.hash, hash->bytes, sizeof(i.hash));
    return i;
}

static inline void say_getdata(struct harness *h, peer_id id, uint32_t type, const struct block_hash *hash)
{
    struct inv i = inv_of(type, hash);
    harness_say(h, id, &(struct message){.type = MESSAGE_GETDATA, .as.inv = {.items = &i, .count = 1}});
}

static inline void say_inv(struct harness *h, peer_id id, uint32_t type, const struct block_hash *hash)
{
    struct inv i = inv_of(type, hash);
    harness_say(h, id, &(struct message){.type = MESSAGE_INV, .as.inv = {.items = &i, .count = 1}});
}

/* getheaders or getblocks after FROM (NULL: without a locator) up to STOP (NULL: the end). */
static inline void say_locator(struct harness *h, peer_id id, enum message_type type, const struct block_hash *from,
                               const struct block_hash *stop)
{
    struct block_hash have[1];
    struct message m = {.type = type, .as.locator = {.version = 70016, .hashes = have, .count = from ? 1 : 0}};
    if (from) have[0] = *from;
    if (stop) m.as.locator.stop = *stop;
    harness_say(h, id, &m);
}

static inline void say_sendcmpct(struct harness *h, peer_id id, bool high_bandwidth)
{
    harness_say(h, id,
                &(struct message){.type = MESSAGE_SENDCMPCT,
                                  .as.sendcmpct = {.high_bandwidth = high_bandwidth, .version = CMPCTBLOCKS_VERSION}});
}

/* The one header as an announcement. */
static inline void say_header(struct harness *h, peer_id id, const struct header_node *n)
{
    struct block_header header;
    header_node_header(&header, n);
    harness_say(h, id, &(struct message){.type = MESSAGE_HEADERS, .as.headers = {.headers = &header, .count = 1}});
}

/* An inbound peer with permissions, open. */
static inline peer_id permitted_peer(struct harness *h, const char *from, unsigned permissions)
{
    struct p2p_connection c = {.remote = harness_endpoint(from),
                               .local = harness_endpoint("10.0.0.1:18444"),
                               .permissions = permissions,
                               .transport = TRANSPORT_V1};
    peer_id id = harness_inbound_with(h, &c);
    harness_handshake(h, id);
    harness_forget(h, id);
    return id;
}

static inline bool is_gone(struct harness *h, peer_id id)
{
    return harness_peer_of(h, id) == NULL;
}

#endif
