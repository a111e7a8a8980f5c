/* The parts of cairn-sim's command line. */
#ifndef CAIRN_SIM_CLI_H
#define CAIRN_SIM_CLI_H

#include "base/compiler.h"
#include "sim/sim.h"

struct sim_cli {
    uint64_t seed, seeds, from, jobs, seconds, nodes, minutes, log, victims;
    bool one_seed, with_log, trace, verbose;
    const char *scenario, *file;
};

/* Each returns the exit status. */
int sim_cli_one(const struct sim_cli *c);
int sim_cli_many(const struct sim_cli *c);
int sim_scenario_eclipse(const struct sim_cli *c);
int sim_scenario_day(const struct sim_cli *c);

#endif
