/* Finding block records in a file. */
#include "node/import_scan.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { WINDOW = 256 << 10, MAX_BLOCK_BYTES = 4000000 };

void import_scan_begin(struct import_scan *s, const struct import_source *source, size_t index, const uint8_t magic[4])
{
    struct buffer window = s->window; /* its memory is used again */
    window.len = 0;
    *s = (struct import_scan){.source = source, .source_index = index, .window = window};
    memcpy(s->magic, magic, 4);
}

/* The bytes from POS on, at least NEED of them unless the file ends before. */
static struct span scan_bytes(struct import_scan *s, size_t need)
{
    uint64_t end = s->window_at + s->window.len;
    if (!s->at_end && s->pos + need > end) {
        size_t len = need + WINDOW, got = 0; /* the next read is a window away, whatever is asked for */
        s->window.len = 0;
        s->window_at = s->pos;
        uint8_t *to = buffer_extend(&s->window, len);
        if (s->source->read(s->source->ctx, s->pos, to, len, &got, &s->error)) s->failed = true;
        s->window.len = s->failed ? 0 : got;
        s->at_end = got < len;
    }
    return span_from(buffer_span(&s->window), (size_t)(s->pos - s->window_at));
}

/* Moves to the next magic; false where there is none. */
static bool scan_to_magic(struct import_scan *s)
{
    bool skipped = false;
    for (;;) {
        struct span here = scan_bytes(s, IMPORT_RECORD_HEAD);
        if (here.len < IMPORT_RECORD_HEAD) return false;
        size_t at = 0;
        while (at + 4 <= here.len && memcmp(here.data + at, s->magic, 4)) {
            skipped |= here.data[at] != 0; /* zeroes are space that was set aside, not damage */
            at++;
        }
        s->pos += at;
        if (at + 4 > here.len) continue;
        s->garbage += skipped;
        return true;
    }
}

bool import_scan_next(struct import_scan *s, struct import_record *out, struct span *bytes)
{
    while (!s->failed && scan_to_magic(s)) {
        struct span head = scan_bytes(s, IMPORT_RECORD_HEAD);
        if (head.len < IMPORT_RECORD_HEAD) break;
        uint32_t len = get_le32(head.data + 4);
        if (len < HEADER_BYTES || len > MAX_BLOCK_BYTES) {
            s->garbage++;
            s->pos++;
            continue;
        }
        struct span whole = scan_bytes(s, IMPORT_RECORD_HEAD + (size_t)len);
        if (whole.len < IMPORT_RECORD_HEAD + (size_t)len) {
            if (s->failed) break;
            /* Perhaps the length lies: what follows is still looked through. */
            if (!s->truncated) s->truncated_at = s->pos;
            s->truncated = true;
            s->pos++;
            continue;
        }
        *out = (struct import_record){s->source_index, s->pos + IMPORT_RECORD_HEAD, len};
        *bytes = span_from(whole, IMPORT_RECORD_HEAD);
        bytes->len = len;
        s->pos += IMPORT_RECORD_HEAD + (uint64_t)len;
        return true;
    }
    return false;
}

void import_scan_from(struct import_scan *s, uint64_t pos)
{
    s->pos = pos;
    if (pos < s->window_at) {
        s->window.len = 0;
        s->window_at = pos;
        s->at_end = false;
    }
}

void import_scan_end(struct import_scan *s)
{
    buffer_clear(&s->window);
}

uint8_t *import_record_read(const struct import_source *source, const struct import_record *record)
{
    uint8_t *raw = mem_alloc(record->len);
    size_t got = 0;
    if (source->read(source->ctx, record->offset, raw, record->len, &got, NULL) || got < record->len) {
        free(raw);
        return NULL;
    }
    return raw;
}
