/* The address prefixes of the five networks, read from the test data. */
#ifndef CAIRN_TEST_UNIT_PRIMITIVES_NETWORKS_H
#define CAIRN_TEST_UNIT_PRIMITIVES_NETWORKS_H

#include "primitives/address.h"

enum { NETWORKS = 5 };

struct network {
    char name[16]; /* "main", "testnet3" ... as in chainparams.json */
    char hrp[8];
    struct address_prefixes prefixes;
};

void networks_load(struct network out[NETWORKS]);

/* NAME as key_io_valid.json has it; stops the test where there is none. */
const struct address_prefixes *network_prefixes(const struct network networks[NETWORKS], const char *name);

#endif
