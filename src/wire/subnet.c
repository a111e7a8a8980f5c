/* Subnets: made of an address and a mask, matched, printed. */
#include "wire/subnet.h"

#include <ctype.h>
#include <stdio.h>

static bool is_ip(const struct netaddr *a)
{
    return a->net == NET_IPV4 || a->net == NET_IPV6;
}

/* BITS leading ones, within the length of the address. */
struct subnet subnet_of_bits(const struct netaddr *a, unsigned bits)
{
    struct subnet s = {.network = *a, .valid = true};
    if (!is_ip(a) || bits > 8 * netaddr_len(a->net)) return (struct subnet){0};
    for (size_t i = 0; i < netaddr_len(a->net); i++) {
        unsigned n = bits < 8 ? bits : 8;
        s.mask[i] = (uint8_t)(0xff00u >> n);
        s.network.bytes[i] &= s.mask[i];
        bits -= n;
    }
    return s;
}

struct subnet subnet_of(const struct netaddr *a)
{
    if (is_ip(a)) return subnet_of_bits(a, 8 * (unsigned)netaddr_len(a->net));
    if (a->net == NET_INTERNAL || a->net == NET_UNROUTABLE) return (struct subnet){0};
    return (struct subnet){.network = *a, .valid = true};
}

/* Leading ones of a mask, or -1 where a one follows a zero. */
static int mask_bits(const uint8_t *mask, size_t len)
{
    int bits = 0;
    bool ended = false;
    for (size_t i = 0; i < 8 * len; i++) {
        bool one = mask[i / 8] >> (7 - i % 8) & 1;
        if (one && ended) return -1;
        ended = !one;
        bits += one;
    }
    return bits;
}

struct subnet subnet_of_mask(const struct netaddr *a, const struct netaddr *mask)
{
    if (!is_ip(a) || mask->net != a->net) return (struct subnet){0};
    int bits = mask_bits(mask->bytes, netaddr_len(mask->net));
    return bits < 0 ? (struct subnet){0} : subnet_of_bits(a, (unsigned)bits);
}

/* A decimal number of at most 255. */
static bool parse_bits(unsigned *out, struct span text)
{
    unsigned v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit(text.data[i])) return false;
        v = v * 10 + (text.data[i] - '0');
        if (v > 255) return false;
    }
    *out = v;
    return text.len > 0;
}

struct subnet subnet_parse(struct span text, bool cjdns)
{
    struct netaddr a, mask;
    size_t slash = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '/') slash = i;
    if (!netaddr_parse(&a, span_of(text.data, slash))) return (struct subnet){0};
    if (cjdns) netaddr_flip_to_cjdns(&a);
    if (slash == text.len) return subnet_of(&a);
    unsigned bits;
    struct span rest = span_from(text, slash + 1);
    if (parse_bits(&bits, rest)) return subnet_of_bits(&a, bits);
    return netaddr_parse(&mask, rest) ? subnet_of_mask(&a, &mask) : (struct subnet){0};
}

bool subnet_match(const struct subnet *s, const struct netaddr *a)
{
    if (!s->valid || !netaddr_is_valid(a) || s->network.net != a->net) return false;
    if (!is_ip(a)) return netaddr_equal(&s->network, a);
    for (size_t i = 0; i < netaddr_len(a->net); i++)
        if ((a->bytes[i] & s->mask[i]) != s->network.bytes[i]) return false;
    return true;
}

bool subnet_equal(const struct subnet *a, const struct subnet *b)
{
    return a->valid == b->valid && netaddr_equal(&a->network, &b->network) && memcmp(a->mask, b->mask, 16) == 0;
}

char *subnet_text(char out[SUBNET_TEXT], const struct subnet *s)
{
    char addr[NETADDR_TEXT];
    netaddr_text(addr, &s->network);
    if (is_ip(&s->network))
        snprintf(out, SUBNET_TEXT, "%s/%u", addr, (uint8_t)mask_bits(s->mask, netaddr_len(s->network.net)));
    else
        snprintf(out, SUBNET_TEXT, "%s", addr);
    return out;
}
