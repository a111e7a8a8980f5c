/* Addresses as text: printing and parsing, without asking any resolver. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/hex.h"
#include "wire/netaddr.h"
#include "wire/netaddr_prefix.h"
#include "wire/sha3.h"

enum { ONION_BYTES = 35, ONION_CHARS = 56, ONION_VERSION = 3, I2P_CHARS = 52, IPV6_GROUPS = 8 };

static const char base32_chars[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Writes the characters of base32 without padding; returns their end. */
static char *base32_put(char *out, const uint8_t *data, size_t len)
{
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < len; i++) {
        held = held << 8 | data[i];
        for (bits += 8; bits >= 5; bits -= 5) *out++ = base32_chars[held >> (bits - 5) & 31];
        held &= (1u << bits) - 1;
    }
    if (bits) *out++ = base32_chars[held << (5 - bits) & 31];
    return out;
}

/* Decodes TEXT of either case to LEN bytes; what is left of the last character must be zero bits. */
static bool base32_get(uint8_t *out, size_t len, struct span text)
{
    unsigned bits = 0, held = 0;
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.data[i] ? strchr(base32_chars, tolower(text.data[i])) : NULL;
        if (!at) return false;
        held = held << 5 | (unsigned)(at - base32_chars);
        bits += 5;
        if (bits < 8) continue;
        if (done == len) return false;
        bits -= 8;
        out[done++] = (uint8_t)(held >> bits);
        held &= (1u << bits) - 1;
    }
    return done == len && held == 0;
}

static void onion_checksum(uint8_t out[2], const uint8_t key[32])
{
    static const char start[] = ".onion checksum";
    uint8_t in[sizeof(start) + 32], hash[32];
    size_t len = sizeof(start) - 1;
    memcpy(in, start, len);
    memcpy(in + len, key, 32);
    in[len + 32] = ONION_VERSION;
    sha3_256(hash, span_of(in, len + 33));
    memcpy(out, hash, 2);
}

/* Hexadecimal without leading zeroes. */
static char *group_put(char *out, unsigned group)
{
    for (unsigned shift = 12; shift > 0; shift -= 4)
        if (group >> shift) *out++ = "0123456789abcdef"[group >> shift & 15];
    *out++ = "0123456789abcdef"[group & 15];
    return out;
}

/* RFC 5952: lower case, no leading zeroes, the first of the longest runs of two zero groups or more as "::". */
static char *ipv6_put(char *out, const uint8_t bytes[16])
{
    size_t best = 0, best_len = 1;
    for (size_t i = 0, len = 0; i < IPV6_GROUPS; i++) {
        len = get_be16(bytes + 2 * i) == 0 ? len + 1 : 0;
        if (len > best_len) {
            best_len = len;
            best = i + 1 - len;
        }
    }
    for (size_t i = 0; i < IPV6_GROUPS;) {
        if (best_len >= 2 && i == best) {
            *out++ = ':';
            *out++ = ':';
            i += best_len;
            continue;
        }
        bool after_run = best_len >= 2 && i == best + best_len;
        if (i != 0 && !after_run) *out++ = ':';
        out = group_put(out, get_be16(bytes + 2 * i++));
    }
    return out;
}

static void onion_text(char *out, const uint8_t key[32])
{
    uint8_t all[ONION_BYTES];
    memcpy(all, key, 32);
    onion_checksum(all + 32, key);
    all[34] = ONION_VERSION;
    strcpy(base32_put(out, all, sizeof(all)), ".onion");
}

char *netaddr_text(char out[NETADDR_TEXT], const struct netaddr *a)
{
    char *end;
    switch (a->net) {
    case NET_IPV4:
        snprintf(out, NETADDR_TEXT, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]);
        break;
    case NET_ONION: onion_text(out, a->bytes); break;
    case NET_I2P: strcpy(base32_put(out, a->bytes, 32), ".b32.i2p"); break;
    case NET_INTERNAL: strcpy(base32_put(out, a->bytes, INTERNAL_BYTES), ".internal"); break;
    default:
        end = ipv6_put(out, a->bytes);
        *end = '\0';
        if (a->scope != 0 && a->net == NET_IPV6) snprintf(end, 12, "%%%u", (unsigned)a->scope);
    }
    return out;
}

char *endpoint_text(char out[ENDPOINT_TEXT], const struct endpoint *e)
{
    char host[NETADDR_TEXT];
    bool bracketed = e->addr.net == NET_IPV6 || e->addr.net == NET_CJDNS || e->addr.net == NET_UNROUTABLE;
    snprintf(out, ENDPOINT_TEXT, bracketed ? "[%s]:%u" : "%s:%u", netaddr_text(host, &e->addr), (unsigned)e->port);
    return out;
}

static bool has_suffix(struct span text, const char *suffix, bool any_case)
{
    size_t len = strlen(suffix);
    if (text.len < len) return false;
    const char *at = (const char *)text.data + text.len - len;
    return any_case ? strncasecmp(at, suffix, len) == 0 : memcmp(at, suffix, len) == 0;
}

static bool onion_parse(struct netaddr *out, struct span text)
{
    uint8_t all[ONION_BYTES], checksum[2];
    if (!has_suffix(text, ".onion", false) || text.len != ONION_CHARS + 6) return false;
    if (!base32_get(all, sizeof(all), span_of(text.data, ONION_CHARS))) return false;
    onion_checksum(checksum, all);
    if (all[34] != ONION_VERSION || memcmp(checksum, all + 32, 2) != 0) return false;
    *out = (struct netaddr){.net = NET_ONION};
    memcpy(out->bytes, all, 32);
    return true;
}

static bool i2p_parse(struct netaddr *out, struct span text)
{
    struct netaddr a = {.net = NET_I2P};
    if (!has_suffix(text, ".b32.i2p", true) || text.len != I2P_CHARS + 8) return false;
    if (!base32_get(a.bytes, 32, span_of(text.data, I2P_CHARS))) return false;
    *out = a;
    return true;
}

bool netaddr_parse_special(struct netaddr *out, struct span text)
{
    return onion_parse(out, text) || i2p_parse(out, text);
}

/* A number in decimal, octal (0...) or hexadecimal (0x...) at *AT; false where there is none or it exceeds 32 bits. */
static bool number_parse(const char **at, const char *end, uint32_t *out)
{
    const char *p = *at;
    unsigned base = 10;
    uint64_t v = 0;
    if (p == end || !isdigit((unsigned char)*p)) return false;
    if (*p == '0' && end - p > 2 && (p[1] == 'x' || p[1] == 'X') && hex_digit(p[2]) >= 0) {
        base = 16;
        p += 2;
    } else if (*p == '0') {
        base = 8;
    }
    for (int digit; p < end && (digit = hex_digit(*p)) >= 0 && (unsigned)digit < base; p++) {
        v = v * base + (unsigned)digit;
        if (v > UINT32_MAX) return false;
    }
    *at = p;
    *out = (uint32_t)v;
    return true;
}

/* As inet_aton: one to four numbers, the last of which fills the bytes that are left. */
static bool ipv4_parse_loose(struct netaddr *out, struct span text)
{
    const char *p = (const char *)text.data, *end = p + text.len;
    uint32_t v = 0, part;
    for (unsigned parts = 1;; parts++) {
        if (parts > 4 || !number_parse(&p, end, &part)) return false;
        if (p == end) {
            if (parts > 1 && part >> (8 * (5 - parts))) return false;
            v |= part;
            break;
        }
        if (*p++ != '.' || part > 255 || parts == 4) return false;
        v |= part << (8 * (4 - parts));
    }
    uint8_t bytes[4];
    put_be32(bytes, v);
    *out = netaddr_ipv4(bytes);
    return true;
}

/* Four decimal numbers without leading zeroes, as the end of an IPv6 address has them. */
static bool ipv4_parse_strict(uint8_t out[4], const char *p, const char *end)
{
    for (int i = 0; i < 4; i++) {
        unsigned v = 0;
        const char *start = p;
        for (; p < end && isdigit((unsigned char)*p); p++) {
            if (p > start && v == 0) return false;
            v = v * 10 + (unsigned)(*p - '0');
            if (v > 255) return false;
        }
        if (p == start || (i < 3 && (p == end || *p++ != '.'))) return false;
        out[i] = (uint8_t)v;
    }
    return p == end;
}

/* Groups between colons; *RUN is where "::" stands, or -1. Returns how many bytes were read, or -1. */
static int ipv6_groups(uint8_t out[16], int *run, const char *p, const char *end)
{
    int len = 0;
    *run = -1;
    if (p < end && *p == ':' && (end - p < 2 || *++p != ':')) return -1;
    while (p < end) {
        if (*p == ':') {
            if (*run >= 0) return -1;
            *run = len;
            p++;
            continue;
        }
        unsigned v = 0;
        const char *start = p;
        for (; p < end && hex_digit(*p) >= 0; p++) v = (v << 4 | (unsigned)hex_digit(*p)) & 0xfffff;
        if (p < end && *p == '.') return len <= 12 && ipv4_parse_strict(out + len, start, end) ? len + 4 : -1;
        if (p == start || p - start > 4 || len == 16) return -1;
        put_be16(out + len, (uint16_t)v);
        len += 2;
        if (p < end && (*p++ != ':' || p == end)) return -1;
    }
    return len;
}

static bool ipv6_parse_bytes(uint8_t out[16], const char *p, const char *end)
{
    uint8_t bytes[16] = {0};
    int run, len = ipv6_groups(bytes, &run, p, end);
    if (len < 0 || (run < 0 ? len != 16 : len > 14)) return false;
    memset(out, 0, 16);
    if (run < 0) run = len;
    memcpy(out, bytes, (size_t)run);
    memcpy(out + 16 - (len - run), bytes + run, (size_t)(len - run));
    return true;
}

/* A zone is a number: names of interfaces belong to the machine. */
static bool ipv6_parse(struct netaddr *out, struct span text)
{
    const char *p = (const char *)text.data, *end = p + text.len, *zone = memchr(p, '%', text.len);
    uint8_t bytes[16];
    uint64_t scope = 0;
    if (!ipv6_parse_bytes(bytes, p, zone ? zone : end)) return false;
    if (zone && ++zone == end) return false;
    for (; zone && zone < end; zone++) {
        if (!isdigit((unsigned char)*zone)) return false;
        scope = scope * 10 + (unsigned)(*zone - '0');
        if (scope > UINT32_MAX) return false;
    }
    *out = netaddr_from_ipv6(bytes);
    if (out->net == NET_IPV6) out->scope = (uint32_t)scope;
    return out->net != NET_INTERNAL;
}

static struct span without_brackets(struct span text)
{
    if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']')
        return span_of(text.data + 1, text.len - 2);
    return text;
}

static bool parse_host(struct netaddr *out, struct span text)
{
    if (text.len == 0) return false;
    return netaddr_parse_special(out, text) || ipv4_parse_loose(out, text) || ipv6_parse(out, text);
}

bool netaddr_parse(struct netaddr *out, struct span text)
{
    return parse_host(out, without_brackets(text));
}

/* Decimal digits alone, up to 65535. */
static bool port_parse(uint16_t *out, struct span text)
{
    uint32_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit(text.data[i])) return false;
        v = v * 10 + (text.data[i] - '0');
        if (v > UINT16_MAX) return false;
    }
    *out = (uint16_t)v;
    return text.len > 0;
}

bool split_host_port(struct span text, uint16_t *port, struct span *host)
{
    size_t colons = 0, last = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != ':') continue;
        colons++;
        last = i;
    }
    bool ok = true;
    bool bracketed = colons && last > 0 && text.data[0] == '[' && text.data[last - 1] == ']';
    if (colons && (last == 0 || bracketed || colons == 1)) {
        uint16_t given;
        ok = port_parse(&given, span_from(text, last + 1));
        if (ok) {
            *port = given;
            text.len = last;
            ok = given != 0;
        }
    }
    *host = without_brackets(text);
    return ok;
}

bool endpoint_parse(struct endpoint *out, struct span text, uint16_t default_port)
{
    struct span host;
    struct netaddr addr;
    uint16_t port = default_port;
    if (text.len == 0) return false;
    (void)split_host_port(text, &port, &host);
    if (!parse_host(&addr, host)) return false;
    *out = (struct endpoint){.addr = addr, .port = port};
    return true;
}
