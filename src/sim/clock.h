/* The clocks of one machine as functions of true time: a wall clock with offset, drift and jumps, and a steady one that
 * drifts alike and never jumps. */
#ifndef CAIRN_SIM_CLOCK_H
#define CAIRN_SIM_CLOCK_H

#include <stdint.h>

struct sim_clock {
    int64_t wall_base_us; /* of the wall clock when true time is 0, offset and jumps included */
    int64_t steady_base_us;
    int32_t drift_ppm; /* microseconds gained a second */
};

int64_t sim_clock_wall_us(const struct sim_clock *c, int64_t true_us);
int64_t sim_clock_steady_us(const struct sim_clock *c, int64_t true_us);
/* The first instant of true time at which the steady clock shows at least STEADY_US. */
int64_t sim_clock_true_us(const struct sim_clock *c, int64_t steady_us);
void sim_clock_jump(struct sim_clock *c, int64_t by_us);
/* From true time NOW on the drift is another one; neither clock jumps by that. */
void sim_clock_set_drift(struct sim_clock *c, int32_t drift_ppm, int64_t now_us);
/* The machine starts anew: the steady clock begins at BASE_US, the wall clock goes on. */
void sim_clock_boot(struct sim_clock *c, int64_t now_us, int64_t base_us);

#endif
