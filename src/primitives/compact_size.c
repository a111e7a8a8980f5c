/* CompactSize: Bitcoin's variable-length count. */
#include "primitives/compact_size.h"

uint64_t read_compact_long(struct reader *r)
{
    uint8_t first = read_u8(r);
    uint64_t v = first, least = 0;
    if (first == 0xfd) {
        v = read_le16(r);
        least = 0xfd;
    } else if (first == 0xfe) {
        v = read_le32(r);
        least = 0x10000;
    } else if (first == 0xff) {
        v = read_le64(r);
        least = UINT64_C(0x100000000);
    }
    if (v < least) reader_fail(r);
    return r->failed ? 0 : v;
}

void buffer_put_compact_size(struct buffer *b, uint64_t v)
{
    if (v < 0xfd) {
        buffer_put_u8(b, (uint8_t)v);
    } else if (v <= UINT16_MAX) {
        buffer_put_u8(b, 0xfd);
        buffer_put_le16(b, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        buffer_put_u8(b, 0xfe);
        buffer_put_le32(b, (uint32_t)v);
    } else {
        buffer_put_u8(b, 0xff);
        buffer_put_le64(b, v);
    }
}

size_t compact_size_len(uint64_t v)
{
    if (v < 0xfd) return 1;
    if (v <= UINT16_MAX) return 3;
    return v <= UINT32_MAX ? 5 : 9;
}
