/* The heap of events: by instant, then in order of arrival. */
#include <criterion/criterion.h>

#include "base/random.h"
#include "sim/heap.h"

Test(sim_heap, gives_events_in_order_of_time_and_arrival)
{
    struct sim_heap h = {0};
    struct random random;
    random_init_u64(&random, 1);
    for (uint32_t i = 0; i < 5000; i++)
        sim_heap_put(&h, &(struct sim_event){.at_us = (int64_t)random_below(&random, 100), .a = i});
    struct sim_event last = {.at_us = -1}, e;
    size_t count = 0;
    for (; sim_heap_take(&h, &e); last = e, count++) {
        cr_assert(e.at_us >= last.at_us);
        if (e.at_us == last.at_us) cr_assert(e.a > last.a, "of one instant the first put is the first taken");
    }
    cr_assert_eq(count, 5000);
    sim_heap_clear(&h);
}

Test(sim_heap, keeps_its_order_while_events_come_and_go)
{
    struct sim_heap h = {0};
    struct sim_event e;
    struct random random;
    int64_t now = 0;
    random_init_u64(&random, 2);
    cr_assert(!sim_heap_take(&h, &e));
    for (int i = 0; i < 20000; i++) {
        if (random_below(&random, 5) < 3) {
            sim_heap_put(&h, &(struct sim_event){.at_us = now + (int64_t)random_below(&random, 1000)});
        } else if (sim_heap_take(&h, &e)) {
            cr_assert(e.at_us >= now, "nothing comes out of the past");
            now = e.at_us;
        }
    }
    sim_heap_clear(&h);
}
