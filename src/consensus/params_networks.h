/* The five networks' constant tables: one file each, found through params.c. */
#ifndef CAIRN_CONSENSUS_PARAMS_NETWORKS_H
#define CAIRN_CONSENSUS_PARAMS_NETWORKS_H

#include "consensus/params.h"

extern const struct chain_params chain_params_main;
extern const struct chain_params chain_params_testnet3;
extern const struct chain_params chain_params_testnet4;
extern const struct chain_params chain_params_signet;
extern const struct chain_params chain_params_regtest;

#endif
