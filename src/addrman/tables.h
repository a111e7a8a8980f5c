/* Inside the address manager: entries, the two tables, and the moves between them that keep all counts right. */
#ifndef CAIRN_ADDRMAN_TABLES_H
#define CAIRN_ADDRMAN_TABLES_H

#include "addrman/addrman.h"
#include "base/hashmap.h"
#include "base/random.h"

struct addr_entry {
    struct endpoint_key key; /* in the hash map */
    bool in_tried;
    uint8_t refs;                                     /* places in new; 0 in tried */
    uint16_t places[ADDRMAN_NEW_BUCKETS_PER_ADDRESS]; /* slots of new: bucket * ADDRMAN_BUCKET_SIZE + position */
    uint32_t order_at;
    struct addrman_info info;
};

struct addrman {
    uint8_t key[32];
    struct random random;
    struct log *log;
    uint32_t check_one_in;
    uint32_t calls; /* since the last check */

    struct hashmap by_endpoint;
    struct addr_entry **order; /* all entries, in random order at the front after addrman_get_addr */
    size_t order_count;
    size_t order_cap;

    /* Rows of ADDRMAN_BUCKET_SIZE entries; a row is NULL until it is needed. */
    struct addr_entry **new_rows[ADDRMAN_NEW_BUCKETS];
    struct addr_entry **tried_rows[ADDRMAN_TRIED_BUCKETS];
    uint16_t used[2][ADDRMAN_NEW_BUCKETS]; /* buckets of new and of tried that have a row, in order of their making */
    size_t used_count[2];
    size_t counts[NET_COUNT][2]; /* by network, in new and in tried */
    size_t new_count;
    size_t tried_count;

    int64_t last_good_s; /* of any address; starts at 1, so that never is before it */
    struct addr_entry *collisions[ADDRMAN_MAX_COLLISIONS];
    size_t collision_count;
};

struct addr_entry *tables_find(const struct addrman *a, const struct endpoint *e);

struct addr_entry *tables_new_at(const struct addrman *a, unsigned slot);
struct addr_entry *tables_tried_at(const struct addrman *a, unsigned slot);

/* Slots: where E belongs in new when SOURCE tells it, in new's BUCKET, and in tried. */
unsigned tables_new_slot(const struct addrman *a, const struct endpoint *e, const struct netaddr *source);
unsigned tables_slot_in_new_bucket(const struct addrman *a, const struct endpoint *e, unsigned bucket);
unsigned tables_tried_slot(const struct addrman *a, const struct endpoint *e);

/* A new entry without a place yet: give it one, or delete it. */
struct addr_entry *tables_create(struct addrman *a, const struct addrman_info *info);
/* Deletes an entry of new without a place. */
void tables_delete(struct addrman *a, struct addr_entry *e);

/* Puts an entry of new in a free slot. */
void tables_place(struct addrman *a, struct addr_entry *e, unsigned slot);
/* Frees a slot of new; who loses the last place is deleted. */
void tables_clear_new(struct addrman *a, unsigned slot);
/* Moves an entry from new to tried; who was in its place goes back to new. */
void tables_make_tried(struct addrman *a, struct addr_entry *e);
/* Puts an entry without a place in the free slot of tried (from a file). */
void tables_place_tried(struct addrman *a, struct addr_entry *e, unsigned slot);

/* Exchanges two in the order. */
void tables_swap(struct addrman *a, size_t i, size_t j);

/* Deletes everything; the key stays. */
void tables_empty(struct addrman *a);

#endif
