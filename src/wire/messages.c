/* The table of messages. */
#include "wire/messages.h"

#include <stdio.h>

#include "wire/message_rows.h"

/* type, name, BIP, short id, since, limit, beyond it, layout */
#define ROW(TYPE, NAME, BIP, ID, SINCE, LIMIT, OVER, LAYOUT)                                                           \
    [TYPE] = {TYPE, NAME, BIP, ID, SINCE, LIMIT, OVER, LAYOUT##_message_read, LAYOUT##_message_write}

static const struct message_row rows[MESSAGE_TYPE_COUNT] = {
    ROW(MESSAGE_UNKNOWN, "", 0, 0, 0, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_VERSION, "version", 0, 0, 0, 0, MESSAGE_OK, version),
    ROW(MESSAGE_VERACK, "verack", 0, 0, 0, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_WTXIDRELAY, "wtxidrelay", 339, 0, PROTOCOL_WTXIDRELAY, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_SENDADDRV2, "sendaddrv2", 155, 0, 0, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_SENDHEADERS, "sendheaders", 130, 0, PROTOCOL_SENDHEADERS, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_SENDCMPCT, "sendcmpct", 152, 20, PROTOCOL_SHORT_IDS, 1, MESSAGE_MISBEHAVES, sendcmpct),
    ROW(MESSAGE_FEEFILTER, "feefilter", 133, 5, PROTOCOL_FEEFILTER, 0, MESSAGE_OK, feefilter),
    ROW(MESSAGE_FEATURE, "feature", 434, 37, PROTOCOL_FEATURE, 0, MESSAGE_DISCONNECT, feature),
    ROW(MESSAGE_SENDTXRCNCL, "sendtxrcncl", 330, 0, PROTOCOL_WTXIDRELAY, 0, MESSAGE_OK, sendtxrcncl),
    ROW(MESSAGE_PING, "ping", 31, 18, 0, 0, MESSAGE_OK, ping),
    ROW(MESSAGE_PONG, "pong", 31, 19, PROTOCOL_BIP31 + 1, 0, MESSAGE_OK, pong),
    ROW(MESSAGE_GETADDR, "getaddr", 0, 0, 0, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_ADDR, "addr", 0, 1, 0, MAX_ADDR, MESSAGE_MISBEHAVES, addr),
    ROW(MESSAGE_ADDRV2, "addrv2", 155, 28, 0, MAX_ADDR, MESSAGE_MISBEHAVES, addr),
    ROW(MESSAGE_INV, "inv", 0, 14, 0, MAX_INV, MESSAGE_MISBEHAVES, inv),
    ROW(MESSAGE_GETDATA, "getdata", 0, 11, 0, MAX_INV, MESSAGE_MISBEHAVES, inv),
    ROW(MESSAGE_NOTFOUND, "notfound", 0, 17, 0, 0, MESSAGE_OK, inv),
    ROW(MESSAGE_GETHEADERS, "getheaders", 0, 12, 0, MAX_LOCATOR, MESSAGE_DISCONNECT, locator),
    ROW(MESSAGE_GETBLOCKS, "getblocks", 0, 9, 0, MAX_LOCATOR, MESSAGE_DISCONNECT, locator),
    ROW(MESSAGE_HEADERS, "headers", 0, 13, 0, MAX_HEADERS, MESSAGE_MISBEHAVES, headers),
    ROW(MESSAGE_BLOCK, "block", 0, 2, 0, 0, MESSAGE_OK, raw),
    ROW(MESSAGE_TX, "tx", 0, 21, 0, 0, MESSAGE_OK, raw),
    ROW(MESSAGE_MEMPOOL, "mempool", 35, 15, 0, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_CMPCTBLOCK, "cmpctblock", 152, 4, PROTOCOL_SHORT_IDS, 0, MESSAGE_OK, cmpctblock),
    ROW(MESSAGE_GETBLOCKTXN, "getblocktxn", 152, 10, PROTOCOL_SHORT_IDS, 0, MESSAGE_OK, getblocktxn),
    ROW(MESSAGE_BLOCKTXN, "blocktxn", 152, 3, PROTOCOL_SHORT_IDS, 0, MESSAGE_OK, blocktxn),
    ROW(MESSAGE_MERKLEBLOCK, "merkleblock", 37, 16, 0, 0, MESSAGE_OK, merkleblock),
    ROW(MESSAGE_FILTERLOAD, "filterload", 37, 8, 0, MAX_BLOOM_FILTER, MESSAGE_MISBEHAVES, filterload),
    ROW(MESSAGE_FILTERADD, "filteradd", 37, 6, 0, MAX_FILTER_ELEMENT, MESSAGE_MISBEHAVES, filteradd),
    ROW(MESSAGE_FILTERCLEAR, "filterclear", 37, 7, 0, 0, MESSAGE_OK, empty),
    ROW(MESSAGE_GETCFILTERS, "getcfilters", 157, 22, 0, 0, MESSAGE_OK, getcfilters),
    ROW(MESSAGE_CFILTER, "cfilter", 157, 23, 0, 0, MESSAGE_OK, cfilter),
    ROW(MESSAGE_GETCFHEADERS, "getcfheaders", 157, 24, 0, 0, MESSAGE_OK, getcfilters),
    ROW(MESSAGE_CFHEADERS, "cfheaders", 157, 25, 0, 0, MESSAGE_OK, cfheaders),
    ROW(MESSAGE_GETCFCHECKPT, "getcfcheckpt", 157, 26, 0, 0, MESSAGE_OK, getcfcheckpt),
    ROW(MESSAGE_CFCHECKPT, "cfcheckpt", 157, 27, 0, 0, MESSAGE_OK, cfcheckpt),
};

const struct message_row *message_row(enum message_type type)
{
    return &rows[type];
}

enum message_type message_type_of(const char *name)
{
    for (int i = 1; i < MESSAGE_TYPE_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0) return rows[i].type;
    return MESSAGE_UNKNOWN;
}

enum message_type message_type_of_short_id(uint8_t short_id)
{
    for (int i = 1; i < MESSAGE_TYPE_COUNT; i++)
        if (short_id != 0 && rows[i].short_id == short_id) return rows[i].type;
    return MESSAGE_UNKNOWN;
}

enum message_status message_read(struct message *m, enum message_type type, struct span payload, struct arena *arena)
{
    *m = (struct message){.type = type};
    struct reader r = reader_of(payload);
    return rows[type].read(m, &r, arena);
}

void message_write(struct buffer *out, const struct message *m)
{
    rows[m->type].write(out, m);
}

enum message_status message_check_limit(struct message *m, const struct reader *r, size_t count)
{
    const struct message_row *row = &rows[m->type];
    if (r->failed) return MESSAGE_MALFORMED;
    if (row->limit == 0 || count <= row->limit) return MESSAGE_OK;
    m->excess = count;
    return row->over_limit;
}

char *message_fault(char out[MESSAGE_FAULT], const struct message *m)
{
    const char *name = rows[m->type].name;
    switch (m->type) {
    case MESSAGE_SENDCMPCT: snprintf(out, MESSAGE_FAULT, "invalid sendcmpct announce field"); break;
    case MESSAGE_FILTERLOAD: snprintf(out, MESSAGE_FAULT, "too-large bloom filter"); break;
    case MESSAGE_FILTERADD: snprintf(out, MESSAGE_FAULT, "bad filteradd message"); break;
    case MESSAGE_FEATURE: snprintf(out, MESSAGE_FAULT, "invalid feature payload"); break;
    case MESSAGE_GETHEADERS:
    case MESSAGE_GETBLOCKS:
        snprintf(out, MESSAGE_FAULT, "%s locator size %zu > %d", name, m->excess, MAX_LOCATOR);
        break;
    default: snprintf(out, MESSAGE_FAULT, "%s message size = %zu", name, m->excess); break;
    }
    return out;
}
