/* What is known of a peer, for getpeerinfo and whoever else looks. */
#ifndef CAIRN_P2P_PEER_INFO_H
#define CAIRN_P2P_PEER_INFO_H

#include "p2p/p2p.h"

enum { PEER_INFO_BLOCKS = 16 };

/* Times are seconds since 1970 unless said otherwise; 0: never. */
struct peer_info {
    peer_id id;
    char addr_name[P2P_HOST]; /* what the user typed, or the address and port */
    struct endpoint remote, local;
    struct endpoint seen_us; /* addrlocal; netaddr_none: not told */
    enum network network;    /* for a connection through our onion service NET_ONION */
    enum conn_type type;
    unsigned permissions;
    enum transport_kind transport;
    uint64_t services;
    bool relays_txs, addr_relay_enabled;
    int64_t last_send_s, last_recv_s, last_tx_s, last_block_s, connected_s;
    uint64_t bytes_sent, bytes_received;
    uint64_t sent_by_type[MESSAGE_TYPE_COUNT], received_by_type[MESSAGE_TYPE_COUNT]; /* [0]: unknown ones ("*other*") */
    int64_t time_offset_s;
    int64_t ping_us, min_ping_us, ping_wait_us; /* -1: none */
    int32_t version;
    char user_agent[MAX_USER_AGENT + 1]; /* cleaned for display; "" before its version came */
    bool hb_to, hb_from;                 /* compact blocks in high bandwidth: we chose them, they chose us */
    int32_t presynced_headers, synced_headers, synced_blocks; /* heights; -1: unknown */
    int32_t in_flight[PEER_INFO_BLOCKS];                      /* heights */
    size_t in_flight_count;
    uint64_t addr_processed, addr_rate_limited;
    int64_t min_fee_filter_sat; /* what they told us; per 1000 virtual bytes */
    uint64_t last_inv_sequence;
    size_t inv_to_send;
    bool disconnecting;
};

#endif
