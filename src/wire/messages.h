/* The messages of the peer protocol: one row each in one table, and the structs that their payloads are read into and
 * written from. Reading follows Bitcoin Core's deserialisation, with its limits and in its order of checks; what the
 * receiver then does about a message that is wrong is the answer of message_read. Bytes after the end of a payload are
 * ignored, but for `feature`. Compact blocks are in wire/compact.h. */
#ifndef CAIRN_WIRE_MESSAGES_H
#define CAIRN_WIRE_MESSAGES_H

#include "primitives/block.h"
#include "wire/compact.h"
#include "wire/netaddr.h"
#include "wire/transport.h"

/* Protocol versions, by what came with them. */
enum {
    PROTOCOL_VERSION = 70017,
    PROTOCOL_MIN_PEER = 31800, /* older peers are disconnected */
    PROTOCOL_BIP31 = 60000,    /* ping has a nonce and an answer AFTER this one */
    PROTOCOL_SENDHEADERS = 70012,
    PROTOCOL_FEEFILTER = 70013,
    PROTOCOL_SHORT_IDS = 70014,
    PROTOCOL_WTXIDRELAY = 70016,
    PROTOCOL_FEATURE = 70017,
};

/* Most elements of what a message may carry; the row of its type has the one that message_read enforces. */
enum {
    MAX_INV = 50000,
    MAX_HEADERS = 2000,
    MAX_ADDR = 1000,
    MAX_LOCATOR = 101,
    MAX_GETDATA = 1000,  /* in one that we send */
    MAX_NOTFOUND = 5016, /* a longer one is not looked at: nobody asked for so much */
    MAX_USER_AGENT = 256,
    MAX_FEATURE_ID = 80,
    MIN_FEATURE_ID = 4,
    MAX_FEATURE_DATA = 512,
    MAX_BLOOM_FILTER = 36000, /* bytes */
    MAX_BLOOM_FUNCTIONS = 50,
    MAX_FILTER_ELEMENT = 520,
    MAX_GETCFILTERS = 1000,
    MAX_GETCFHEADERS = 2000,
    CFCHECKPT_INTERVAL = 1000,
};

enum message_type {
    MESSAGE_UNKNOWN = 0, /* ignored */
    MESSAGE_VERSION,
    MESSAGE_VERACK,
    MESSAGE_WTXIDRELAY,
    MESSAGE_SENDADDRV2,
    MESSAGE_SENDHEADERS,
    MESSAGE_SENDCMPCT,
    MESSAGE_FEEFILTER,
    MESSAGE_FEATURE,
    MESSAGE_SENDTXRCNCL,
    MESSAGE_PING,
    MESSAGE_PONG,
    MESSAGE_GETADDR,
    MESSAGE_ADDR,
    MESSAGE_ADDRV2,
    MESSAGE_INV,
    MESSAGE_GETDATA,
    MESSAGE_NOTFOUND,
    MESSAGE_GETHEADERS,
    MESSAGE_GETBLOCKS,
    MESSAGE_HEADERS,
    MESSAGE_BLOCK,
    MESSAGE_TX,
    MESSAGE_MEMPOOL,
    MESSAGE_CMPCTBLOCK,
    MESSAGE_GETBLOCKTXN,
    MESSAGE_BLOCKTXN,
    MESSAGE_MERKLEBLOCK,
    MESSAGE_FILTERLOAD,
    MESSAGE_FILTERADD,
    MESSAGE_FILTERCLEAR,
    MESSAGE_GETCFILTERS,
    MESSAGE_CFILTER,
    MESSAGE_GETCFHEADERS,
    MESSAGE_CFHEADERS,
    MESSAGE_GETCFCHECKPT,
    MESSAGE_CFCHECKPT,
    MESSAGE_TYPE_COUNT,
};

/* How a payload reads, and what Core does about it. */
enum message_status {
    MESSAGE_OK,
    MESSAGE_MALFORMED,  /* does not parse: logged, and otherwise as if it had not come */
    MESSAGE_MISBEHAVES, /* beyond a limit that nobody honest exceeds: the sender is discouraged */
    MESSAGE_DISCONNECT, /* the connection ends, without more */
};

struct version_message {
    int32_t version;
    uint64_t services;
    int64_t time; /* seconds since 1970; never negative after reading */
    uint64_t your_services;
    struct endpoint you; /* the receiver, as the sender sees it */
    uint64_t my_services;
    struct endpoint me; /* not used by anybody */
    uint64_t nonce;     /* 1 where it was left out: old peers end after `you`, after `nonce` ... */
    struct span user_agent;
    int32_t start_height; /* -1 where it was left out */
    bool relay;           /* BIP37: announce transactions; true where it was left out */
};

struct sendcmpct_message {
    uint8_t high_bandwidth; /* 0 or 1 */
    uint64_t version;       /* 2 is the only one in use */
};

struct feature_message {
    struct span id;
    struct span data;
};

struct sendtxrcncl_message {
    uint32_t version;
    uint64_t salt;
};

/* ping and pong. An old peer's ping has no nonce and gets no answer; a short pong ends the wait for one. */
struct nonce_message {
    bool has_nonce;
    uint64_t nonce;
};

struct addr_message {
    struct peer_addr *addrs; /* in the arena; NULL beyond the limit */
    size_t count;
};

enum {
    INV_TX = 1,
    INV_BLOCK = 2,
    INV_FILTERED_BLOCK = 3, /* BIP37 */
    INV_CMPCT_BLOCK = 4,    /* BIP152 */
    INV_WTX = 5,            /* BIP339: the hash is a wtxid */
    INV_WITNESS = 1 << 30,  /* BIP144 */
    INV_WITNESS_TX = INV_TX | INV_WITNESS,
    INV_WITNESS_BLOCK = INV_BLOCK | INV_WITNESS,
};

struct inv {
    uint32_t type;
    uint8_t hash[32];
};

bool inv_is_tx(const struct inv *i);    /* tx, wtx, or tx with witness */
bool inv_is_block(const struct inv *i); /* a block in any form */

struct inv_message {
    struct inv *items; /* in the arena; NULL beyond the limit */
    size_t count;
};

struct locator_message {
    uint32_t version; /* of no use; 70016 by convention */
    struct block_hash *hashes;
    size_t count;
    struct block_hash stop; /* zeroes: as many as possible */
};

struct headers_message {
    struct block_header *headers;
    size_t count;
};

/* A block, or a transaction, as it came: block_read and tx_read take it from here (bytes may follow it). */
struct raw_message {
    struct span raw;
};

struct merkleblock_message {
    struct block_header header;
    uint32_t tx_total;
    struct span hashes; /* 32 bytes each */
    struct span flags;
};

struct filterload_message {
    struct span filter;
    uint32_t functions;
    uint32_t tweak;
    uint8_t flags;
};

struct filteradd_message {
    struct span element;
};

struct getcfilters_message { /* getcfheaders, too; getcfcheckpt without the height */
    uint8_t filter_type;
    uint32_t start_height;
    struct block_hash stop;
};

struct cfilter_message {
    uint8_t filter_type;
    struct block_hash block;
    struct span filter;
};

struct cfheaders_message { /* cfcheckpt without the previous header */
    uint8_t filter_type;
    struct block_hash stop;
    uint8_t previous[32];
    struct span hashes; /* 32 bytes each */
};

/* Any message. Spans point into the payload, arrays lie in the arena. */
struct message {
    enum message_type type;
    size_t excess; /* with MESSAGE_MISBEHAVES or MESSAGE_DISCONNECT: the size that is beyond the limit, if it is one */
    union {
        struct version_message version;
        struct sendcmpct_message sendcmpct;
        int64_t feefilter; /* satoshis for 1000 virtual bytes; any number may come */
        struct feature_message feature;
        struct sendtxrcncl_message sendtxrcncl;
        struct nonce_message ping;      /* pong */
        struct addr_message addr;       /* addrv2 */
        struct inv_message inv;         /* getdata, notfound */
        struct locator_message locator; /* getheaders, getblocks */
        struct headers_message headers;
        struct raw_message raw; /* block, tx */
        struct compact_block cmpctblock;
        struct getblocktxn_message getblocktxn;
        struct blocktxn_message blocktxn;
        struct merkleblock_message merkleblock;
        struct filterload_message filterload;
        struct filteradd_message filteradd;
        struct getcfilters_message getcfilters; /* getcfheaders, getcfcheckpt */
        struct cfilter_message cfilter;
        struct cfheaders_message cfheaders; /* cfcheckpt */
    } as;
};

struct message_row {
    enum message_type type;
    const char *name;
    uint16_t bip;     /* where it is defined; 0: in the first versions */
    uint8_t short_id; /* instead of the name in version 2 of the transport (BIP324); 0: none */
    uint32_t since;   /* the protocol version that both sides must have; 0: any */
    uint32_t limit;   /* most elements; 0: none but the payload's size */
    enum message_status over_limit;
    enum message_status (*read)(struct message *m, struct reader *r, struct arena *arena);
    void (*write)(struct buffer *out, const struct message *m);
};

/* The row of a type; that of MESSAGE_UNKNOWN has an empty name and reads nothing. */
const struct message_row *message_row(enum message_type type);
enum message_type message_type_of(const char *name);
/* BIP324's one-byte ids; MESSAGE_UNKNOWN for those without a message. */
enum message_type message_type_of_short_id(uint8_t short_id);

/* Reads PAYLOAD as a message of this type into *M. */
MUST_USE enum message_status message_read(struct message *m, enum message_type type, struct span payload,
                                          struct arena *arena);

/* Appends the payload of *M. */
void message_write(struct buffer *out, const struct message *m);

enum { MESSAGE_FAULT = 80 };

/* What a message that misbehaves did, in the words of Core's log ("inv message size = 50001"); returns OUT. */
char *message_fault(char out[MESSAGE_FAULT], const struct message *m);

/* BIP14: "/NAME:VERSION(COMMENT; COMMENT)/", without the leading slash where OUT holds a part already. */
void user_agent_put(struct buffer *out, const char *name, const char *version, const char *const *comments,
                    size_t count);

#endif
