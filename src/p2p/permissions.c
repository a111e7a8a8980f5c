/* What an address or a listening socket may do beyond others: the texts of -whitelist and -whitebind. */
#include "p2p/permissions.h"

struct permission_name {
    const char *name;
    unsigned permission;
    bool shown; /* in getpeerinfo, in the order of this table */
};

static const struct permission_name names[] = {
    {"bloomfilter", PERM_BLOOM_FILTER, true},
    {"noban", PERM_NO_BAN, true},
    {"forcerelay", PERM_FORCE_RELAY, true},
    {"relay", PERM_RELAY, true},
    {"mempool", PERM_MEMPOOL, true},
    {"download", PERM_DOWNLOAD, true},
    {"addr", PERM_ADDR, true},
    {"bloom", PERM_BLOOM_FILTER, false},
    {"all", PERM_ALL, false},
};

size_t permission_names(unsigned permissions, const char *out[PERMISSION_NAMES])
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].shown && permits(permissions, names[i].permission)) out[count++] = names[i].name;
    return count;
}

static bool is_word(struct span s, const char *word)
{
    return span_equal(s, span_str(word));
}

/* A rule as it is read: what stands before the '@'. */
struct parsed {
    unsigned permissions;
    bool in, out;
    struct span rest; /* after the '@', or all */
};

static bool parse_word(struct parsed *r, struct span word, bool bind, struct buffer *error)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!is_word(word, names[i].name)) continue;
        r->permissions |= names[i].permission;
        return true;
    }
    if (word.len == 0) return true;
    if (is_word(word, "in")) {
        r->in = true;
    } else if (!is_word(word, "out")) {
        buffer_printf(error, "Invalid P2P permission: '%.*s'", (int)word.len, (const char *)word.data);
        return false;
    } else if (bind) {
        buffer_put_str(error, "whitebind may only be used for incoming connections (\"out\" was passed)");
        return false;
    } else {
        r->out = true;
    }
    return true;
}

static bool parse(struct parsed *r, const char *text, bool bind, struct buffer *error)
{
    struct span all = span_str(text);
    const uint8_t *at = memchr(all.data, '@', all.len);
    *r = (struct parsed){.rest = all};
    if (!at) {
        r->permissions = PERM_IMPLICIT;
        r->in = true;
        return true;
    }
    r->rest = span_from(all, (size_t)(at - all.data) + 1);
    for (const uint8_t *pos = all.data; pos < at;) {
        const uint8_t *comma = memchr(pos, ',', (size_t)(at - pos));
        const uint8_t *end = comma ? comma : at;
        if (!parse_word(r, span_of(pos, (size_t)(end - pos)), bind, error)) return false;
        pos = end + 1;
    }
    if (!r->in && !r->out) {
        r->in = true;
    } else if (r->permissions == PERM_NONE) {
        buffer_printf(error, "Only direction was set, no permissions: '%s'", text);
        return false;
    }
    return true;
}

bool permission_rule_parse(struct permission_rule *out, const char *text, struct buffer *error)
{
    struct parsed r;
    if (!parse(&r, text, false, error)) return false;
    *out = (struct permission_rule){
        .subnet = subnet_parse(r.rest, false), .permissions = r.permissions, .in = r.in, .out = r.out};
    if (out->subnet.valid) return true;
    buffer_printf(error, "Invalid netmask specified in -whitelist: '%.*s'", (int)r.rest.len, (const char *)r.rest.data);
    return false;
}

bool permission_bind_parse(struct endpoint *at, unsigned *permissions, const char *text, struct buffer *error)
{
    struct parsed r;
    if (!parse(&r, text, true, error)) return false;
    *permissions = r.permissions;
    if (!endpoint_parse(at, r.rest, 0)) {
        buffer_printf(error, "Cannot resolve -whitebind address: '%.*s'", (int)r.rest.len, (const char *)r.rest.data);
        return false;
    }
    if (at->port) return true;
    buffer_printf(error, "Need to specify a port with -whitebind: '%.*s'", (int)r.rest.len, (const char *)r.rest.data);
    return false;
}
