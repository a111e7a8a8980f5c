/* From a message's name to its handler. */
#include "p2p/dispatch.h"

#include <stdio.h>

#include "p2p/internal.h"
#include "primitives/compact_size.h"
#include "wire/sanitize.h"

enum phase {
    PHASE_FIRST,       /* version: before anything else */
    PHASE_NEGOTIATION, /* once their version is known */
    PHASE_OPEN,        /* after verack */
};

struct route {
    enum phase phase;
    /* What can be said without reading the payload; false: the message is dropped. NULL: nothing. */
    bool (*early)(struct p2p *p, struct peer *peer, enum message_type type);
    void (*handle)(struct p2p *p, struct peer *peer, struct message *m);
};

/* While files are imported, nothing about blocks is of use. */
static bool early_chain(struct p2p *p, struct peer *peer, enum message_type type)
{
    if (!p->importing) return true;
    log_debug(p->log, LOGC_NET, "Unexpected %s message received from peer %lld", message_row(type)->name,
              (long long)peer->id);
    return false;
}

/* Connections that carry no addresses: whatever is in the message, it is nobody's fault. */
static bool early_addr(struct p2p *p, struct peer *peer, enum message_type type)
{
    if (peer->type != CONN_BLOCK_RELAY && peer->type != CONN_FEELER) return true;
    log_debug(p->log, LOGC_NET, "ignoring %s message from %s connection, peer=%lld", message_row(type)->name,
              conn_type_name(peer->type), (long long)peer->id);
    return false;
}

static const struct route routes[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_VERSION] = {PHASE_FIRST, handshake_early, handshake_on_version},
    [MESSAGE_VERACK] = {PHASE_NEGOTIATION, handshake_early, handshake_on_verack},
    [MESSAGE_WTXIDRELAY] = {PHASE_NEGOTIATION, handshake_early, handshake_on_wtxidrelay},
    [MESSAGE_SENDADDRV2] = {PHASE_NEGOTIATION, handshake_early, handshake_on_sendaddrv2},
    [MESSAGE_SENDHEADERS] = {PHASE_NEGOTIATION, NULL, handshake_on_sendheaders},
    [MESSAGE_SENDCMPCT] = {PHASE_NEGOTIATION, NULL, compact_on_sendcmpct},
    [MESSAGE_FEATURE] = {PHASE_NEGOTIATION, handshake_early, handshake_on_feature},
    [MESSAGE_SENDTXRCNCL] = {PHASE_NEGOTIATION, handshake_early, NULL},
    [MESSAGE_FEEFILTER] = {PHASE_OPEN, NULL, txs_on_feefilter},
    [MESSAGE_PING] = {PHASE_OPEN, NULL, ping_on_ping},
    [MESSAGE_PONG] = {PHASE_OPEN, NULL, ping_on_pong},
    [MESSAGE_GETADDR] = {PHASE_OPEN, NULL, addr_relay_on_getaddr},
    [MESSAGE_ADDR] = {PHASE_OPEN, early_addr, addr_relay_on_addr},
    [MESSAGE_ADDRV2] = {PHASE_OPEN, early_addr, addr_relay_on_addr},
    [MESSAGE_INV] = {PHASE_OPEN, NULL, serve_on_inv},
    [MESSAGE_GETDATA] = {PHASE_OPEN, NULL, serve_on_getdata},
    [MESSAGE_NOTFOUND] = {PHASE_OPEN, NULL, txs_on_notfound},
    [MESSAGE_GETHEADERS] = {PHASE_OPEN, NULL, serve_on_getheaders},
    [MESSAGE_GETBLOCKS] = {PHASE_OPEN, NULL, serve_on_getblocks},
    [MESSAGE_HEADERS] = {PHASE_OPEN, early_chain, headers_on_headers},
    [MESSAGE_BLOCK] = {PHASE_OPEN, early_chain, blocks_on_block},
    [MESSAGE_TX] = {PHASE_OPEN, txs_early, txs_on_tx},
    [MESSAGE_MEMPOOL] = {PHASE_OPEN, NULL, txs_on_mempool},
    [MESSAGE_CMPCTBLOCK] = {PHASE_OPEN, early_chain, compact_on_cmpctblock},
    [MESSAGE_GETBLOCKTXN] = {PHASE_OPEN, NULL, compact_on_getblocktxn},
    [MESSAGE_BLOCKTXN] = {PHASE_OPEN, early_chain, compact_on_blocktxn},
    [MESSAGE_FILTERLOAD] = {PHASE_OPEN, txs_early, txs_on_filter},
    [MESSAGE_FILTERADD] = {PHASE_OPEN, txs_early, txs_on_filter},
    [MESSAGE_FILTERCLEAR] = {PHASE_OPEN, txs_early, txs_on_filter},
    [MESSAGE_GETCFILTERS] = {PHASE_OPEN, NULL, filters_on_getcfilters},
    [MESSAGE_GETCFHEADERS] = {PHASE_OPEN, NULL, filters_on_getcfheaders},
    [MESSAGE_GETCFCHECKPT] = {PHASE_OPEN, NULL, filters_on_getcfcheckpt},
};

/* Whether the handshake has come far enough for it. */
static bool is_due(struct p2p *p, const struct peer *peer, const struct route *route, const char *name)
{
    if (route->phase != PHASE_FIRST && !peer->handshake.version_received) {
        log_debug(p->log, LOGC_NET, "non-version message before version handshake. Message \"%s\" from peer=%lld", name,
                  (long long)peer->id);
        return false;
    }
    if (route->phase == PHASE_OPEN && !peer->handshake.verack_received) {
        log_debug(p->log, LOGC_NET, "Unsupported message \"%s\" prior to verack from peer=%lld", name,
                  (long long)peer->id);
        return false;
    }
    return true;
}

enum { PROBLEM = 64, ADDRESS_MAX = 512 };

/* What keeps PAYLOAD from being read, in Core's words: as a rule it just ends too early. */
static const char *malformed_problem(char out[PROBLEM], enum message_type type, struct span payload)
{
    struct reader r = reader_of(payload);
    uint64_t count = type == MESSAGE_ADDRV2 ? read_compact_size(&r) : 0;
    for (; count > 0 && !r.failed; count--) {
        read_le32(&r);
        read_compact_size(&r);
        read_u8(&r);
        uint64_t len = read_compact_size(&r);
        if (len > ADDRESS_MAX) {
            snprintf(out, PROBLEM, "Address too long: %llu > %d", (unsigned long long)len, ADDRESS_MAX);
            return out;
        }
        read_span(&r, (size_t)len + 2);
    }
    return "DataStream::read(): end of data";
}

static void handle_fault(struct p2p *p, struct peer *peer, const struct message *m, enum message_status status,
                         struct span payload)
{
    char fault[MESSAGE_FAULT], who[PEER_LOG], problem[PROBLEM];
    const char *name = message_row(m->type)->name;
    switch (status) {
    case MESSAGE_OK: break;
    case MESSAGE_MALFORMED:
        log_debug(p->log, LOGC_NET, "ProcessMessages(%s, %zu bytes): Exception '%s' caught", name, payload.len,
                  malformed_problem(problem, m->type, payload));
        break;
    case MESSAGE_MISBEHAVES: peer_misbehaves(p, peer, "%s", message_fault(fault, m)); break;
    case MESSAGE_DISCONNECT:
        log_debug(p->log, LOGC_NET, "%s, %s", message_fault(fault, m), peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
        break;
    }
}

void dispatch_message(struct p2p *p, struct peer *peer, const char *name, struct span payload)
{
    char clean[MESSAGE_NAME];
    enum message_type type = message_type_of(name);
    struct route route = routes[type];
    sanitize(clean, sizeof(clean), span_str(name));
    log_debug(p->log, LOGC_NET, "received: %s (%zu bytes) peer=%lld", clean, payload.len, (long long)peer->id);
    if (!route.handle && !route.early) route.phase = PHASE_OPEN;
    if (!is_due(p, peer, &route, clean)) return;
    if (route.early && !route.early(p, peer, type)) return;
    if (!route.handle) {
        log_debug(p->log, LOGC_NET, "Unknown message type \"%s\" from peer=%lld", clean, (long long)peer->id);
        return;
    }
    struct message m;
    enum message_status status = message_read(&m, type, payload, &p->arena);
    if (status == MESSAGE_OK)
        route.handle(p, peer, &m);
    else
        handle_fault(p, peer, &m, status, payload);
}
