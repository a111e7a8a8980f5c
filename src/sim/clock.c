/* Clocks of the virtual machines. */
#include "sim/clock.h"

enum { MILLION = 1000000 };

static int64_t gained(const struct sim_clock *c, int64_t true_us)
{
    return true_us / MILLION * c->drift_ppm + true_us % MILLION * c->drift_ppm / MILLION;
}

int64_t sim_clock_wall_us(const struct sim_clock *c, int64_t true_us)
{
    return c->wall_base_us + true_us + gained(c, true_us);
}

int64_t sim_clock_steady_us(const struct sim_clock *c, int64_t true_us)
{
    return c->steady_base_us + true_us + gained(c, true_us);
}

int64_t sim_clock_true_us(const struct sim_clock *c, int64_t steady_us)
{
    int64_t t = steady_us - c->steady_base_us;
    t -= gained(c, t);
    /* The estimate is off by the drift of the drift: a few steps of Newton's, then single microseconds. */
    for (int i = 0; i < 4; i++) t += steady_us - sim_clock_steady_us(c, t);
    while (sim_clock_steady_us(c, t) < steady_us) t++;
    while (sim_clock_steady_us(c, t - 1) >= steady_us) t--;
    return t;
}

void sim_clock_jump(struct sim_clock *c, int64_t by_us)
{
    c->wall_base_us += by_us;
}

void sim_clock_set_drift(struct sim_clock *c, int32_t drift_ppm, int64_t now_us)
{
    int64_t before = gained(c, now_us);
    c->drift_ppm = drift_ppm;
    int64_t change = before - gained(c, now_us);
    c->wall_base_us += change;
    c->steady_base_us += change;
}

void sim_clock_boot(struct sim_clock *c, int64_t now_us, int64_t base_us)
{
    c->steady_base_us = base_us - now_us - gained(c, now_us);
}
