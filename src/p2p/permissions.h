/* What an address or a listening socket may do beyond others (-whitelist, -whitebind). */
#ifndef CAIRN_P2P_PERMISSIONS_H
#define CAIRN_P2P_PERMISSIONS_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "wire/subnet.h"

enum peer_permission {
    PERM_NONE = 0,
    PERM_BLOOM_FILTER = 1 << 1,
    PERM_RELAY = 1 << 3,
    PERM_FORCE_RELAY = 1 << 2 | PERM_RELAY,
    PERM_MEMPOOL = 1 << 5,
    PERM_DOWNLOAD = 1 << 6,
    PERM_NO_BAN = 1 << 4 | PERM_DOWNLOAD,
    PERM_ADDR = 1 << 7,
    PERM_IMPLICIT =
        1 << 31, /* named without a list: what it means depends on -whitelistrelay and -whitelistforcerelay */
    PERM_ALL =
        PERM_BLOOM_FILTER | PERM_FORCE_RELAY | PERM_RELAY | PERM_NO_BAN | PERM_MEMPOOL | PERM_DOWNLOAD | PERM_ADDR,
};

/* All bits of F are in PERMISSIONS. */
static inline bool permits(unsigned permissions, unsigned f)
{
    return (permissions & f) == f;
}

/* A rule of -whitelist. */
struct permission_rule {
    struct subnet subnet;
    unsigned permissions;
    bool in, out; /* directions it holds for */
};

/* "perm,perm@subnet" or "subnet". False with Core's error text in ERROR. */
MUST_USE bool permission_rule_parse(struct permission_rule *out, const char *text, struct buffer *error);

/* "perm,perm@address:port" or "address:port" (-whitebind). */
MUST_USE bool permission_bind_parse(struct endpoint *at, unsigned *permissions, const char *text, struct buffer *error);

enum { PERMISSION_NAMES = 8 };

/* Names as in getpeerinfo, in Core's order; returns how many. */
size_t permission_names(unsigned permissions, const char *out[PERMISSION_NAMES]);

#endif
