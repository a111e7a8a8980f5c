/* The address manager: which nodes there are on the network and which of them to try next. It keeps addresses in two
 * tables of buckets, so that nobody can fill it: "new" (heard of) and "tried" (connected to once). A secret key and the
 * network groups of address and source decide the bucket, and key and address the position in it, as in Bitcoin Core;
 * an attacker with few groups reaches few buckets. A tried address is tested before another takes its place. */
#ifndef CAIRN_ADDRMAN_ADDRMAN_H
#define CAIRN_ADDRMAN_ADDRMAN_H

#include "base/compiler.h"
#include "base/log.h"
#include "base/result.h"
#include "wire/netaddr.h"

enum {
    ADDRMAN_NEW_BUCKETS = 1024,
    ADDRMAN_TRIED_BUCKETS = 256,
    ADDRMAN_BUCKET_SIZE = 64,
    ADDRMAN_NEW_BUCKETS_PER_ADDRESS = 8, /* positions of the new table that one address can take */
    ADDRMAN_MAX_COLLISIONS = 10,         /* candidates that wait for the test of an address in tried */
    ADDRMAN_HORIZON_S = 30 * 24 * 3600,  /* not seen for longer: forgotten */
    ADDRMAN_RETRIES = 3,                 /* failures of an address that never worked before it is given up */
    ADDRMAN_MAX_FAILURES = 10,           /* failures in a row, */
    ADDRMAN_MIN_FAIL_S = 7 * 24 * 3600,  /* over at least this time, for one that worked */
    ADDRMAN_REPLACEMENT_S = 4 * 3600,    /* a tried address that answered this lately stays */
    ADDRMAN_TEST_WINDOW_S = 40 * 60,     /* after this a collision is decided without a test */
};

struct addrman; /* at most 81,920 addresses, about 20 MB */

struct addrman_options {
    uint8_t seed[32];      /* secret; key and chances come from it, and the same seed and calls give the same answers */
    bool key_is_one;       /* -test=addrman: the key is the number 1, so that bucket and position are known */
    uint32_t check_one_in; /* -checkaddrman: check all invariants in one of so many calls (0: never) */
    struct log *log;       /* may be NULL; must live as long */
};

struct addrman *addrman_new(const struct addrman_options *options);
void addrman_free(struct addrman *a);

enum addrman_table { ADDRMAN_NEW, ADDRMAN_TRIED, ADDRMAN_BOTH };

/* Addresses in TABLE of network NET (NET_COUNT: of all). */
size_t addrman_size(const struct addrman *a, enum network net, enum addrman_table table);

/* Adds what SOURCE told; PENALTY_S is taken from the times (not from that of the source itself). Returns how many were
 * new or got one more place; known ones may have time and services updated besides. */
size_t addrman_add(struct addrman *a, const struct peer_addr *addrs, size_t count, const struct netaddr *source,
                   int64_t penalty_s, int64_t now_s);

/* A connection to E succeeded (version and verack exchanged). True where this moved it from new to tried; where its
 * place is taken, the two wait for a test (addrman_select_tried_collision). */
bool addrman_good(struct addrman *a, const struct endpoint *e, int64_t now_s);

/* A connection to E is being tried. COUNT_FAILURE: count it as failed until it succeeds (false while we ourselves may
 * be offline); at most once between two successes with anybody. */
void addrman_attempt(struct addrman *a, const struct endpoint *e, bool count_failure, int64_t now_s);

/* The connection to E worked until now; to be called when it ends, so that our peers cannot be read from the times. */
void addrman_connected(struct addrman *a, const struct endpoint *e, int64_t now_s);

void addrman_set_services(struct addrman *a, const struct endpoint *e, uint64_t services);

/* Chooses an address to connect to, one that is not lately or often tried in vain rather than others. NETWORKS: bit
 * 1 << enum network of those wanted, 0 for all. False where there is none. *LAST_TRY_S (may be NULL): 0 is never. */
MUST_USE bool addrman_select(struct addrman *a, bool new_only, uint32_t networks, int64_t now_s, struct peer_addr *out,
                             int64_t *last_try_s);

/* Random addresses: at most MAX (0: all) and at most PERCENT of all that we have (0: all), of one network class
 * (NET_COUNT: all; IPv4 inside IPv6 counts as IPv4). FILTERED: without those that addrman_is_terrible. *OUT is to be
 * freed. */
size_t addrman_get_addr(struct addrman *a, size_t max, unsigned percent, enum network net, bool filtered, int64_t now_s,
                        struct peer_addr **out);

/* Decides the collisions whose tried address was tested, or could not be for too long. Call now and then. */
void addrman_resolve_collisions(struct addrman *a, int64_t now_s);

/* A random tried address whose place another one wants: connect to it (a feeler) to decide. */
MUST_USE bool addrman_select_tried_collision(struct addrman *a, struct peer_addr *out, int64_t *last_try_s);

/* What is known of an address. */
struct addrman_info {
    struct peer_addr addr;
    struct netaddr source; /* who told first */
    int64_t last_try_s;    /* 0: never; lost in a restart */
    int64_t last_count_attempt_s;
    int64_t last_success_s; /* 0: never */
    int32_t attempts;       /* counted failures since the last success */
};

/* Where it is. */
struct addrman_position {
    bool tried;
    unsigned multiplicity; /* positions it takes: 1 in tried, 1 to 8 in new */
    unsigned bucket;
    unsigned position;
};

/* Walks the table (not ADDRMAN_BOTH) by bucket and position: start with *AT = 0; false at the end. An address with
 * several positions in new comes once for each. INFO and POSITION may be NULL. */
bool addrman_next(const struct addrman *a, enum addrman_table table, size_t *at, struct addrman_info *info,
                  struct addrman_position *position);

/* Looks one up; its bucket in new is the one of its first source. INFO and POSITION may be NULL. */
MUST_USE bool addrman_find(const struct addrman *a, const struct endpoint *e, struct addrman_info *info,
                           struct addrman_position *position);

/* True where the record is so bad that the address may be forgotten. */
bool addrman_is_terrible(const struct addrman_info *i, int64_t now_s);
/* Relative chance 0..1 of being chosen. */
double addrman_chance(const struct addrman_info *i, int64_t now_s);

/* Recomputes all invariants: 0, or the negative code that Bitcoin Core gives for what is broken. */
int addrman_check(const struct addrman *a);

/* The file peers.dat in Bitcoin Core's format (written: version 4; read: 1 to 4), with the network's magic in front and
 * SHA256d behind. */
void addrman_write(const struct addrman *a, const uint8_t magic[4], struct buffer *out);

/* Fills A, which must be empty, and takes over the key of the file. RESULT_INVALID: from an incompatible later version;
 * RESULT_CORRUPT: anything else that is wrong. After an error A is empty and good to use. */
MUST_USE enum result addrman_read(struct addrman *a, const uint8_t magic[4], struct span file, struct error *e);

/* The file anchors.dat: the block-relay peers to connect to first after a restart. */
void anchors_write(const struct peer_addr *addrs, size_t count, const uint8_t magic[4], struct buffer *out);
/* At most MAX of those in the file to OUT; the caller deletes the file. */
MUST_USE enum result anchors_read(struct peer_addr *out, size_t max, size_t *count, const uint8_t magic[4],
                                  struct span file, struct error *e);

#endif
