/* The checksum of descriptors: an error-correcting code over the characters' groups and symbols (BIP380). */
#include "descriptor/descriptor.h"

#include <stdio.h>

static const char charset[] = "0123456789()[],'/*abcdefgh@:$%{}"
                              "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
                              "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
static const char checksum_charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint64_t polymod(uint64_t c, unsigned value)
{
    static const uint64_t generator[5] = {0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd};
    uint64_t top = c >> 35;
    c = (c & 0x7ffffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++) {
        if (top >> i & 1) c ^= generator[i];
    }
    return c;
}

bool descriptor_checksum(char out[DESCRIPTOR_CHECKSUM_TEXT], struct span text)
{
    uint64_t c = 1;
    unsigned group = 0, in_group = 0;
    out[0] = '\0';
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.data[i] ? strchr(charset, text.data[i]) : NULL;
        if (!at) return false;
        unsigned position = (unsigned)(at - charset);
        c = polymod(c, position & 31);
        group = group * 3 + (position >> 5);
        if (++in_group == 3) {
            c = polymod(c, group);
            group = in_group = 0;
        }
    }
    if (in_group) c = polymod(c, group);
    for (int i = 0; i < 8; i++) c = polymod(c, 0);
    c ^= 1;
    for (int i = 0; i < 8; i++) out[i] = checksum_charset[c >> (5 * (7 - i)) & 31];
    out[8] = '\0';
    return true;
}

bool descriptor_split(struct span text, bool required, struct span *body, char computed[DESCRIPTOR_CHECKSUM_TEXT],
                      char error[DESCRIPTOR_ERROR_TEXT])
{
    char sum[DESCRIPTOR_CHECKSUM_TEXT];
    const uint8_t *mark = text.len ? memchr(text.data, '#', text.len) : NULL;
    size_t len = mark ? (size_t)(mark - text.data) : text.len;
    struct span given = span_from(text, mark ? len + 1 : text.len);
    *body = span_of(text.data, len);
    if (given.len && memchr(given.data, '#', given.len)) {
        snprintf(error, DESCRIPTOR_ERROR_TEXT, "Multiple '#' symbols");
    } else if (!mark && required) {
        snprintf(error, DESCRIPTOR_ERROR_TEXT, "Missing checksum");
    } else if (mark && given.len != 8) {
        snprintf(error, DESCRIPTOR_ERROR_TEXT, "Expected 8 character checksum, not %zu characters", given.len);
    } else if (!descriptor_checksum(sum, *body)) {
        snprintf(error, DESCRIPTOR_ERROR_TEXT, "Invalid characters in payload");
    } else if (mark && memcmp(sum, given.data, 8) != 0) {
        snprintf(error, DESCRIPTOR_ERROR_TEXT, "Provided checksum '%.8s' does not match computed checksum '%s'",
                 (const char *)given.data, sum);
    } else {
        if (computed) memcpy(computed, sum, sizeof sum);
        return true;
    }
    return false;
}
