/* Parsing and checking a block on a worker. */
#include "node/parse_job.h"

#include <stdlib.h>

/* Bytes behind the block are not looked at: a record of a file may be longer than its block. */
static void run(void *arg, size_t index)
{
    (void)index;
    struct parse_job *j = arg;
    struct reader r = reader_of(span_of(j->raw, j->len));
    j->block = block_read(&r);
    if (!j->block) return;
    j->good = block_check(j->block, j->params, 0, &j->verdict);
    if (!j->test_mutation) return;
    struct verdict found = {0};
    j->mutated = block_find_mutation(j->block, j->check_witness, &found);
    if (j->mutated) j->verdict = found;
}

void parse_job_start(struct parse_job *j, struct workers *w, const struct chain_params *params, uint8_t *raw,
                     size_t len)
{
    j->params = params;
    j->raw = raw;
    j->len = len;
    j->batch = (struct job_batch){.run = run, .arg = j, .count = 1, .background = true};
    workers_submit(w, &j->batch);
}

void parse_job_join(struct parse_job *j, struct workers *w)
{
    workers_join(w, &j->batch);
}

void parse_job_clear(struct parse_job *j)
{
    if (j->block) block_free(j->block);
    free(j->raw);
    j->block = NULL;
    j->raw = NULL;
}
