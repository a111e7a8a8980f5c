/* Subnets of IPv4 and IPv6. */
#include "http/allow.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

/* An address in 16 bytes, in brackets or not; *IS_V4 tells which sort it was. */
static bool parse_address(const char *text, uint8_t out[16], bool *is_v4)
{
    static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char host[64];
    size_t len = strlen(text);
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    const char *zone = memchr(text, '%', len);
    if (zone) len = (size_t)(zone - text);
    if (len >= sizeof host) return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *is_v4 = inet_pton(AF_INET, host, out + 12) == 1;
    if (*is_v4) {
        memcpy(out, v4_prefix, sizeof v4_prefix);
        return true;
    }
    if (inet_pton(AF_INET6, host, out) != 1) return false;
    *is_v4 = memcmp(out, v4_prefix, sizeof v4_prefix) == 0;
    return true;
}

/* "24" or "255.255.255.0"; the ones must come first. */
static bool parse_mask(const char *text, bool is_v4, uint8_t mask[16])
{
    bool mask_v4;
    unsigned bits = 0, shift = is_v4 ? 96 : 0;
    size_t digits = strspn(text, "0123456789");
    if (digits && !text[digits] && digits < 4) {
        bits = (unsigned)atoi(text) + shift;
        if (bits > 128) return false;
        memset(mask, 0, 16);
        for (unsigned i = 0; i < bits; i++) mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
        return true;
    }
    if (!parse_address(text, mask, &mask_v4) || mask_v4 != is_v4) return false;
    if (is_v4) memset(mask, 0xff, 12);
    for (unsigned i = 1; i < 128; i++) {
        bool before = mask[(i - 1) / 8] >> (7 - (i - 1) % 8) & 1, here = mask[i / 8] >> (7 - i % 8) & 1;
        if (here && !before) return false;
    }
    return true;
}

bool http_allow_add(struct http_allow *allow, const char *subnet)
{
    struct http_subnet s;
    char address[64];
    bool is_v4;
    const char *slash = strchr(subnet, '/');
    size_t len = slash ? (size_t)(slash - subnet) : strlen(subnet);
    if (len >= sizeof address) return false;
    memcpy(address, subnet, len);
    address[len] = '\0';
    if (!parse_address(address, s.address, &is_v4)) return false;
    if (slash) {
        if (!parse_mask(slash + 1, is_v4, s.mask)) return false;
    } else {
        memset(s.mask, 0xff, sizeof s.mask);
    }
    for (size_t i = 0; i < 16; i++) s.address[i] &= s.mask[i];
    allow->subnets = mem_realloc(allow->subnets, allow->count + 1, sizeof *allow->subnets);
    allow->subnets[allow->count++] = s;
    return true;
}

void http_allow_init(struct http_allow *allow)
{
    *allow = (struct http_allow){0};
    bool good = http_allow_add(allow, "127.0.0.0/8") && http_allow_add(allow, "::1");
    CHECK(good);
}

void http_allow_clear(struct http_allow *allow)
{
    free(allow->subnets);
    *allow = (struct http_allow){0};
}

bool http_allow_has(const struct http_allow *allow, const char *address)
{
    uint8_t a[16];
    bool is_v4;
    if (!parse_address(address, a, &is_v4)) return false;
    for (size_t i = 0; i < allow->count; i++) {
        const struct http_subnet *s = &allow->subnets[i];
        size_t k = 0;
        while (k < 16 && (a[k] & s->mask[k]) == s->address[k]) k++;
        if (k == 16) return true;
    }
    return false;
}
