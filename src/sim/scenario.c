/* Scenarios. */
#include "sim/cli.h"

int sim_scenario_eclipse(const struct sim_cli *c)
{
    (void)c;
    return 0;
}

int sim_scenario_day(const struct sim_cli *c)
{
    (void)c;
    return 0;
}
