/* Searching for proof of work: one header at a time in plain C: what every machine can do. */
#define LANES 1
#define TARGET
#define SCAN mine_scan_c
#include "crypto/sha256d_mine_lanes.h"
