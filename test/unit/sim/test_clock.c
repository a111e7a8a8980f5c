/* Clocks of virtual machines. */
#include <criterion/criterion.h>

#include "base/random.h"
#include "sim/clock.h"

Test(sim_clock, jumps_the_wall_clock_alone)
{
    struct sim_clock c = {.wall_base_us = 1000, .steady_base_us = 7};
    cr_assert_eq(sim_clock_wall_us(&c, 50), 1050);
    sim_clock_jump(&c, -900);
    cr_assert_eq(sim_clock_wall_us(&c, 50), 150);
    cr_assert_eq(sim_clock_steady_us(&c, 50), 57);
}

Test(sim_clock, drifts_by_parts_in_a_million)
{
    struct sim_clock c = {.drift_ppm = 500};
    cr_assert_eq(sim_clock_steady_us(&c, 1000000), 1000500);
    c.drift_ppm = -500;
    cr_assert_eq(sim_clock_wall_us(&c, INT64_C(86400000000)), INT64_C(86400000000) - 43200000);
}

Test(sim_clock, changes_its_drift_without_a_jump)
{
    struct sim_clock c = {.wall_base_us = 5, .steady_base_us = 9, .drift_ppm = 4000};
    int64_t now = 123456789, wall = sim_clock_wall_us(&c, now), steady = sim_clock_steady_us(&c, now);
    sim_clock_set_drift(&c, -3000, now);
    cr_assert_eq(sim_clock_wall_us(&c, now), wall);
    cr_assert_eq(sim_clock_steady_us(&c, now), steady);
    cr_assert_lt(sim_clock_wall_us(&c, now + 1000000), wall + 1000000);
}

Test(sim_clock, finds_the_instant_of_a_deadline)
{
    struct random random;
    random_init_u64(&random, 3);
    for (int i = 0; i < 2000; i++) {
        struct sim_clock c = {.steady_base_us = (int64_t)random_below(&random, 1000000000),
                              .drift_ppm = (int32_t)random_below(&random, 10001) - 5000};
        int64_t wanted = c.steady_base_us + (int64_t)random_below(&random, INT64_C(1) << 40);
        int64_t at = sim_clock_true_us(&c, wanted);
        cr_assert(sim_clock_steady_us(&c, at) >= wanted);
        cr_assert(sim_clock_steady_us(&c, at - 1) < wanted);
    }
}

Test(sim_clock, begins_anew_when_the_machine_does)
{
    struct sim_clock c = {.wall_base_us = 100, .steady_base_us = 3, .drift_ppm = 1000};
    int64_t wall = sim_clock_wall_us(&c, 5000000);
    sim_clock_boot(&c, 5000000, 42);
    cr_assert_eq(sim_clock_steady_us(&c, 5000000), 42);
    cr_assert_eq(sim_clock_wall_us(&c, 5000000), wall);
}
