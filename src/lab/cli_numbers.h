/* Arguments of the commands that deal in numbers. Inside the room. */
#ifndef CAIRN_LAB_CLI_NUMBERS_H
#define CAIRN_LAB_CLI_NUMBERS_H

#include "lab/cli.h"

enum { NUMBERS_MAX = 64 };

struct numbers {
    uint32_t of[NUMBERS_MAX];
    unsigned count;
};

/* Each takes one option where it is there, else leaves *OUT alone; false: it is there and wrong. */
bool numbers_take(struct lab_cli_args *a, const char *name, uint64_t least, uint64_t most, uint64_t *out);
bool numbers_take_unsigned(struct lab_cli_args *a, const char *name, unsigned least, unsigned most, unsigned *out);
bool numbers_take_real(struct lab_cli_args *a, const char *name, double *out); /* not below zero */
/* Lists with commas: shares as millionths; counts. */
bool numbers_take_shares(struct lab_cli_args *a, const char *name, uint32_t most_ppm, struct numbers *out);
bool numbers_take_counts(struct lab_cli_args *a, const char *name, uint32_t least, uint32_t most, struct numbers *out);
bool numbers_take_flag(struct lab_cli_args *a, const char *name);

#endif
