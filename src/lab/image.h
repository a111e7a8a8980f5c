/* The past of every world: a chain of a day with coins for the attacker, the customer and the public, made once and
 * copied to the disk of each node. The same for all seeds. */
#ifndef CAIRN_LAB_IMAGE_H
#define CAIRN_LAB_IMAGE_H

#include "sim/disk.h"

enum { LAB_IMAGE_BLOCKS = 120, LAB_IMAGE_ATTACKER = 4, LAB_IMAGE_CUSTOMER = 4, LAB_IMAGE_PUBLIC = 12 };

struct lab_image_coin {
    struct outpoint at;
    amount_sat value;
    uint32_t owner;
};

struct lab_image {
    struct sim_disk disk;
    struct buffer blocks[LAB_IMAGE_BLOCKS]; /* their bytes, from height 1 on */
    struct lab_image_coin coins[LAB_IMAGE_ATTACKER + LAB_IMAGE_CUSTOMER + LAB_IMAGE_PUBLIC];
    size_t coin_count; /* that the next block may spend */
};

struct lab_image *lab_image_new(void);
void lab_image_free(struct lab_image *image);

#endif
