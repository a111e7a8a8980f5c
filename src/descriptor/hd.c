/* Extended keys (BIP32): decoding, children, and paths with their ranges and alternatives (BIP389). */
#include "descriptor/hd.h"

#include <ctype.h>

#include "base/endian.h"
#include "base/hex.h"
#include "crypto/hmac_sha512.h"
#include "crypto/secp.h"
#include "primitives/base58.h"

enum { EXTENDED_BYTES = 78, TEXT_MAX = 120, CHOICES_MAX = 32 };

bool hd_key_decode(struct hd_key *out, struct span text, const struct address_prefixes *prefixes)
{
    char word[TEXT_MAX];
    struct buffer b = {0};
    *out = (struct hd_key){0};
    if (text.len >= sizeof word) return false;
    memcpy(word, text.data, text.len);
    word[text.len] = '\0';
    bool good = base58check_decode(&b, word, EXTENDED_BYTES) && b.len == EXTENDED_BYTES;
    if (good) {
        static const uint8_t none[9];
        bool is_public = memcmp(b.data, prefixes->xpub, 4) == 0;
        out->has_secret = memcmp(b.data, prefixes->xprv, 4) == 0;
        memcpy(out->chain_code, b.data + 13, 32);
        good = is_public || out->has_secret;
        if (b.data[4] == 0 && memcmp(b.data + 4, none, sizeof none) != 0) good = false; /* a root has no parent */
        if (out->has_secret) {
            memcpy(out->secret, b.data + 46, 32);
            good = good && b.data[45] == 0 && pubkey_of_secret(out->pubkey, out->secret);
        } else {
            memcpy(out->pubkey, b.data + 45, 33);
            good = good && pubkey_is_valid(span_of(out->pubkey, 33));
        }
    }
    buffer_clear(&b);
    return good;
}

bool hd_key_step(struct hd_key *key, uint32_t step)
{
    uint8_t data[37] = {0}, digest[64];
    if (step & HD_HARDENED) {
        if (!key->has_secret) return false;
        memcpy(data + 1, key->secret, 32);
    } else {
        memcpy(data, key->pubkey, 33);
    }
    put_be32(data + 33, step);
    hmac_sha512(digest, span_of(key->chain_code, 32), span_of(data, sizeof data));
    memcpy(key->chain_code, digest + 32, 32);
    if (!key->has_secret) return pubkey_tweak_add(key->pubkey, digest);
    return secret_tweak_add(key->secret, digest) && pubkey_of_secret(key->pubkey, key->secret);
}

/* "5", "5'" or "5h". */
static bool parse_step(struct descriptor_parser *p, struct span text, uint32_t *out)
{
    struct span digits = text;
    uint64_t n = 0;
    *out = 0;
    if (text.len == 0) return descriptor_error(p, "Key path value '' is not valid");
    if ((text.data[text.len - 1] == '\'' || text.data[text.len - 1] == 'h')) {
        digits.len--;
        *out = HD_HARDENED;
    }
    bool good = digits.len > 0 && digits.len <= 10;
    for (size_t i = 0; good && i < digits.len; i++) {
        good = isdigit(digits.data[i]);
        n = n * 10 + (uint64_t)(digits.data[i] - '0');
    }
    if (!good || n > UINT32_MAX)
        return descriptor_error(p, "Key path value '%.*s' is not a valid uint32", (int)(text.len < 50 ? text.len : 50),
                                (const char *)text.data);
    if (n >= HD_HARDENED) return descriptor_error(p, "Key path value %u is out of range", (unsigned)n);
    *out |= (uint32_t)n;
    return true;
}

/* Takes the text up to SEPARATOR, and the separator. */
static struct span take_until(struct span *text, char separator)
{
    const uint8_t *end = text->len ? memchr(text->data, separator, text->len) : NULL;
    size_t len = end ? (size_t)(end - text->data) : text->len;
    struct span taken = span_of(text->data, len);
    *text = span_from(*text, end ? len + 1 : len);
    return taken;
}

/* "0;1": one of which the position chooses. */
static bool parse_choices(struct descriptor_parser *p, struct span text, struct hd_path *out, uint32_t *step)
{
    uint32_t steps[CHOICES_MAX];
    size_t count = 0;
    if (out->choices > 1) return descriptor_error(p, "Multiple multipath key path specifiers found");
    bool more = true;
    while (more) {
        more = text.len && memchr(text.data, ';', text.len);
        if (count == CHOICES_MAX) return descriptor_error(p, "More than %d multipath values", CHOICES_MAX);
        if (!parse_step(p, take_until(&text, ';'), &steps[count])) return false;
        for (size_t i = 0; i < count; i++)
            if (steps[i] == steps[count])
                return descriptor_error(p, "Duplicated key path value %u in multipath specifier", steps[i]);
        count++;
    }
    if (count < 2) return descriptor_error(p, "Multipath key path specifiers must have at least two items");
    out->choices = (unsigned)count;
    *step = steps[p->at.path < count ? p->at.path : 0];
    return true;
}

/* "*", "*'" or "*h", the last element only. */
static bool is_range(struct span text)
{
    if (text.len == 0 || text.len > 2 || text.data[0] != '*') return false;
    return text.len == 1 || text.data[1] == '\'' || text.data[1] == 'h';
}

bool hd_path_parse(struct descriptor_parser *p, struct span text, struct hd_path *out)
{
    out->count = 0;
    out->ranged = false;
    out->choices = 1;
    while (text.len) {
        uint32_t step;
        text = span_from(text, 1); /* '/' */
        const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
        struct span part = slash ? span_of(text.data, (size_t)(slash - text.data)) : text;
        text = span_from(text, part.len);
        if (text.len == 0 && is_range(part)) {
            out->ranged = true;
            step = p->at.index | (part.len == 2 ? HD_HARDENED : 0);
        } else if (part.len >= 2 && part.data[0] == '<' && part.data[part.len - 1] == '>') {
            if (!parse_choices(p, span_of(part.data + 1, part.len - 2), out, &step)) return false;
        } else if (!parse_step(p, part, &step)) {
            return false;
        }
        if (out->count == DESCRIPTOR_STEPS_MAX)
            return descriptor_error(p, "Key path has more than %d elements", DESCRIPTOR_STEPS_MAX);
        out->steps[out->count++] = step;
    }
    return true;
}

/* Appends the public form of TEXT where it is a private key; false where it is none. */
static bool put_public_key(struct buffer *out, struct span text, const struct address_prefixes *prefixes)
{
    struct hd_key key;
    char word[TEXT_MAX];
    uint8_t secret[32], bytes[65], compressed_bytes[33];
    bool compressed;
    if (text.len < 50 || text.len >= sizeof word) return false;
    memcpy(word, text.data, text.len);
    word[text.len] = '\0';
    if (wif_decode(secret, &compressed, word, prefixes) && pubkey_of_secret(compressed_bytes, secret) &&
        pubkey_uncompress(bytes, span_of(compressed_bytes, 33))) {
        hex_append(out, compressed ? span_of(compressed_bytes, 33) : span_of(bytes, 65));
        return true;
    }
    if (!hd_key_decode(&key, text, prefixes) || !key.has_secret) return false;
    struct buffer b = {0};
    bool good = base58check_decode(&b, word, EXTENDED_BYTES);
    if (good) {
        memcpy(b.data, prefixes->xpub, 4);
        memcpy(b.data + 45, key.pubkey, 33);
        base58check_encode(out, buffer_span(&b));
    }
    buffer_clear(&b);
    return good;
}

/* One of the alternatives in TEXT. */
static void put_choice(struct buffer *out, struct span text, unsigned path)
{
    while (path-- && text.len) take_until(&text, ';');
    buffer_put_span(out, take_until(&text, ';'));
}

void descriptor_public(struct buffer *out, struct span body, const struct address_prefixes *prefixes, unsigned path)
{
    char sum[DESCRIPTOR_CHECKSUM_TEXT];
    struct buffer canonical = {0};
    size_t start = out->len;
    descriptor_canonical(&canonical, body, prefixes);
    body = buffer_span(&canonical);
    while (body.len) {
        size_t len = 0;
        while (len < body.len && isalnum(body.data[len])) len++;
        struct span word = span_of(body.data, len);
        if (!put_public_key(out, word, prefixes)) buffer_put_span(out, word);
        body = span_from(body, len);
        if (body.len && body.data[0] == '<') {
            body = span_from(body, 1);
            put_choice(out, take_until(&body, '>'), path);
        } else if (body.len) {
            buffer_put_u8(out, body.data[0]);
            body = span_from(body, 1);
        }
    }
    buffer_clear(&canonical);
    if (descriptor_checksum(sum, span_from(buffer_span(out), start))) buffer_printf(out, "#%s", sum);
}
