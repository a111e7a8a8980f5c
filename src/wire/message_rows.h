/* The readers and writers behind the table of messages, one pair a layout. */
#ifndef CAIRN_WIRE_MESSAGE_ROWS_H
#define CAIRN_WIRE_MESSAGE_ROWS_H

#include "wire/messages.h"

#define MESSAGE_LAYOUT(NAME)                                                                                           \
    enum message_status NAME##_message_read(struct message *m, struct reader *r, struct arena *arena);                 \
    void NAME##_message_write(struct buffer *out, const struct message *m);

MESSAGE_LAYOUT(empty)
MESSAGE_LAYOUT(version)
MESSAGE_LAYOUT(sendcmpct)
MESSAGE_LAYOUT(feefilter)
MESSAGE_LAYOUT(feature)
MESSAGE_LAYOUT(sendtxrcncl)
MESSAGE_LAYOUT(ping)
MESSAGE_LAYOUT(pong)
MESSAGE_LAYOUT(addr)
MESSAGE_LAYOUT(inv)
MESSAGE_LAYOUT(locator)
MESSAGE_LAYOUT(headers)
MESSAGE_LAYOUT(raw)
MESSAGE_LAYOUT(cmpctblock)
MESSAGE_LAYOUT(getblocktxn)
MESSAGE_LAYOUT(blocktxn)
MESSAGE_LAYOUT(merkleblock)
MESSAGE_LAYOUT(filterload)
MESSAGE_LAYOUT(filteradd)
MESSAGE_LAYOUT(getcfilters)
MESSAGE_LAYOUT(getcfcheckpt)
MESSAGE_LAYOUT(cfilter)
MESSAGE_LAYOUT(cfheaders)
MESSAGE_LAYOUT(cfcheckpt)

#undef MESSAGE_LAYOUT

/* OK, or MALFORMED where the reader failed. */
static inline enum message_status message_status_of(const struct reader *r)
{
    return r->failed ? MESSAGE_MALFORMED : MESSAGE_OK;
}

/* For COUNT elements that were read completely: notes the excess where the row's limit is exceeded. */
enum message_status message_check_limit(struct message *m, const struct reader *r, size_t count);

#endif
