/* Blocks from peers, many and large at once. */
#include "fixture.h"
#include "node/peers.h"
#include "p2p/internal.h"

enum { PEERS = 16, BLOCK_BYTES = 2 << 20 };

static void say(struct node *n, peer_id id, enum message_type type, struct buffer *payload)
{
    struct received r = {.wire_bytes = payload->len + 24, .payload = *payload};
    snprintf(r.name, sizeof(r.name), "%s", message_row(type)->name);
    *payload = (struct buffer){0};
    p2p_received(n->p2p, id, &r);
}

static peer_id connect_one(struct node *n, int number)
{
    struct p2p_connection c = {.transport = TRANSPORT_V1};
    char text[32];
    snprintf(text, sizeof(text), "1.2.%d.4:5000", number);
    cr_assert(endpoint_parse(&c.remote, span_str(text), 0));
    c.local = c.remote;
    peer_id id = p2p_connected(n->p2p, &c);
    struct message version = {.type = MESSAGE_VERSION,
                              .as.version = {.version = PROTOCOL_VERSION,
                                             .services = NODE_NETWORK | NODE_WITNESS,
                                             .you.addr = netaddr_none(),
                                             .me.addr = netaddr_none(),
                                             .nonce = 1}};
    struct buffer payload = {0}, empty = {0};
    message_write(&payload, &version);
    say(n, id, MESSAGE_VERSION, &payload);
    say(n, id, MESSAGE_VERACK, &empty);
    return id;
}

/* Parsed, a block can take many times its bytes: only some are parsed ahead, the others stay as they came. */
Test(review_peers, few_are_parsed_ahead)
{
    static struct fixture f;
    struct random random;
    struct bans bans = {0};
    struct error e = {0};
    bool more;
    static const struct p2p_options options = {
        .services = NODE_NETWORK | NODE_WITNESS, .subversion = "/x:1/", .max_connections = 125, .network_active = true};
    fixture_new(&f, CHAIN_REGTEST);
    random_init_u64(&random, 1);
    bans_init(&bans, 100, &random);
    node_set_importing(f.node, false);
    node_open_peers(f.node, &options, addrman_new(&(struct addrman_options){.key_is_one = true}), &bans);
    f.node->mock_time_s = 1600000000;
    node_set_clock(f.node, 1600000000000000, 1);
    for (int i = 0; i < PEERS; i++) {
        peer_id id = connect_one(f.node, i);
        struct buffer payload = {0};
        memset(buffer_extend(&payload, BLOCK_BYTES), i, BLOCK_BYTES);
        payload.data[HEADER_BYTES] = 1;
        say(f.node, id, MESSAGE_BLOCK, &payload);
    }
    cr_assert_eq(f.node->p2p->blocks.queue_count, PEERS);
    cr_assert_eq(node_take_blocks(f.node, 0, &more, &e), RESULT_OK);
    cr_assert(more);
    cr_assert_eq(f.node->p2p->blocks.queue_count, PEERS - (16 << 20) / BLOCK_BYTES);
    for (int i = 0; i < PEERS && more; i++) cr_assert_eq(node_take_blocks(f.node, 1, &more, &e), RESULT_OK);
    cr_assert_not(more);
    cr_assert_eq(f.node->p2p->blocks.pending.count, 0, "each was judged");
    struct p2p_action a;
    while (p2p_take_action(f.node->p2p, &a)) buffer_clear(&a.payload);
    fixture_close(&f);
    fixture_free(&f);
}
