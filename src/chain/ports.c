/* The workers' inline fallback: without a pool, jobs run where they are joined. */
#include "chain/ports.h"

void workers_submit(struct workers *w, struct job_batch *batch)
{
    batch->next = NULL;
    batch->taken = batch->done = 0;
    batch->submitted = true;
    if (w && w->ops) w->ops->submit(w->ctx, batch);
}

void workers_join(struct workers *w, struct job_batch *batch)
{
    if (!batch->submitted) return;
    if (w && w->ops)
        w->ops->join(w->ctx, batch);
    else
        for (; batch->done < batch->count; batch->done++) batch->run(batch->arg, batch->done);
    batch->submitted = false;
}

unsigned workers_threads(const struct workers *w)
{
    return w && w->ops ? w->ops->threads(w->ctx) : 1;
}
