/* A block's bytes, parsed, hashed and checked alone on a worker. */
#ifndef CAIRN_NODE_PARSE_JOB_H
#define CAIRN_NODE_PARSE_JOB_H

#include "chain/ports.h"
#include "consensus/block_check.h"

struct parse_job {
    struct job_batch batch;
    const struct chain_params *params;
    uint8_t *raw; /* owned */
    size_t len;
    bool test_mutation; /* also look whether the bytes are those that the header means */
    bool check_witness; /* for that: a witness commitment is expected */
    /* Good after parse_job_join: */
    struct block *block; /* NULL: does not parse; its spans point into RAW */
    bool good;           /* passed block_check */
    bool mutated;
    struct verdict verdict; /* of block_check */
};

/* Hands the job to the workers. RAW is taken. The job must stay where it is until it is joined. */
void parse_job_start(struct parse_job *j, struct workers *w, const struct chain_params *params, uint8_t *raw,
                     size_t len);

/* Waits for it (helping). */
void parse_job_join(struct parse_job *j, struct workers *w);

/* Frees block and bytes. */
void parse_job_clear(struct parse_job *j);

#endif
