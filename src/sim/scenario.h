/* What the scenarios share. */
#ifndef CAIRN_SIM_SCENARIO_H
#define CAIRN_SIM_SCENARIO_H

#include "sim/cli.h"
#include "sim/internal.h"

/* A network without faults: usual latencies, ten minutes between blocks. */
void scenario_calm(struct sim_swarm *w);

/* Seconds of processor time so far, and the most memory that the process ever had, bytes. */
double scenario_cpu_s(void);
size_t scenario_peak_bytes(void);

#endif
