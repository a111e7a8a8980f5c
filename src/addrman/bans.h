/* Who may not connect: banned subnets with an end (the user's choice, kept in banlist.json), and discouraged addresses
 * (misbehaved; forgotten by and by, and never told to anybody). */
#ifndef CAIRN_ADDRMAN_BANS_H
#define CAIRN_ADDRMAN_BANS_H

#include "addrman/rolling_bloom.h"
#include "base/compiler.h"
#include "base/result.h"
#include "wire/subnet.h"

enum { BANS_DEFAULT_S = 24 * 3600 }; /* default of -bantime */

struct ban {
    struct subnet subnet;
    int64_t created_s;
    int64_t until_s; /* banned while now is before this */
};

struct bans {
    struct ban *items; /* ordered by network, address and mask */
    size_t count;
    size_t cap;
    int64_t default_s;
    bool changed; /* since the last write; whoever writes the file resets it */
    struct rolling_bloom discouraged;
};

/* DEFAULT_S: what a ban lasts where none is said (-bantime). The filter's key comes from RANDOM. */
void bans_init(struct bans *b, int64_t default_s, struct random *random);
void bans_clear(struct bans *b);

/* Bans SUBNET (valid) for OFFSET_S from now, or until OFFSET_S where ABSOLUTE; 0 or less is the default from now. A ban
 * is only ever prolonged: false where it already lasts as long. */
bool bans_add(struct bans *b, const struct subnet *subnet, int64_t offset_s, bool absolute, int64_t now_s);
/* Takes over COUNT bans with the times that they have, in place of those of the same subnets. */
void bans_load(struct bans *b, const struct ban *bans, size_t count);
/* Lifts the ban of exactly SUBNET; false where there was none. */
bool bans_remove(struct bans *b, const struct subnet *subnet);
void bans_remove_all(struct bans *b);
/* Forgets what is over. Call before items is listed or written. */
void bans_sweep(struct bans *b, int64_t now_s);

/* True where the address lies in a banned subnet. */
bool bans_has_addr(const struct bans *b, const struct netaddr *addr, int64_t now_s);
/* True where exactly this subnet is banned. */
bool bans_has_subnet(const struct bans *b, const struct subnet *subnet, int64_t now_s);

/* Discouraged addresses lose their connection when room is needed and are not dialled. */
void bans_discourage(struct bans *b, const struct netaddr *addr);
bool bans_is_discouraged(const struct bans *b, const struct netaddr *addr);

/* The text of banlist.json, as Bitcoin Core writes and reads it. */
void bans_write(const struct bans *b, struct buffer *out);
/* Adds what the text lists; entries of another version or with an address that does not parse are left out (*SKIPPED,
 * may be NULL, counts them). CJDNS: whether fc00::/8 is that network here. RESULT_CORRUPT with nothing added where the
 * text is not what it should be. */
MUST_USE enum result bans_read(struct bans *b, struct span text, bool cjdns, size_t *skipped, struct error *e);

#endif
