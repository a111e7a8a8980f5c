/* Finding block records in a file: magic, length, block; anything else is skipped byte by byte. */
#ifndef CAIRN_NODE_IMPORT_SCAN_H
#define CAIRN_NODE_IMPORT_SCAN_H

#include "node/import.h"

enum { IMPORT_RECORD_HEAD = 8 }; /* magic and length in front of each record */

/* A record: LEN bytes of block at OFFSET of a source. */
struct import_record {
    size_t source;
    uint64_t offset;
    uint32_t len;
};

struct import_scan {
    const struct import_source *source;
    size_t source_index;
    uint8_t magic[4];
    uint64_t pos; /* next byte to look at */
    struct buffer window;
    uint64_t window_at; /* offset of the window's first byte */
    bool at_end;        /* the window reaches the end of the file */
    size_t extra;       /* bytes to read beyond what is asked for: where claims overlap, each would be read again */
    uint64_t garbage;   /* places where something else than a record stood */
    bool truncated;     /* a record runs past the end of the file */
    uint64_t truncated_at;
    bool failed;
    struct error error;
};

void import_scan_begin(struct import_scan *s, const struct import_source *source, size_t index, const uint8_t magic[4]);

/* The next record; its bytes are good until the next call. False at the end or on failure. The scan then stands behind
 * the record: where it turns out to be no block, go on inside it with import_scan_from. */
bool import_scan_next(struct import_scan *s, struct import_record *out, struct span *bytes);

/* Goes on at POS, which may lie before or behind. */
void import_scan_from(struct import_scan *s, uint64_t pos);

void import_scan_end(struct import_scan *s);

/* Reads a record again; NULL where the source fails. Free it. */
uint8_t *import_record_read(const struct import_source *source, const struct import_record *record);

#endif
