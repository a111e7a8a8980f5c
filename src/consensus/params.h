/* Chain parameters: what makes mainnet, testnet3, testnet4, signet and regtest different. Constant data, one file a
 * network; a node works on its own copy so that options may alter regtest's. */
#ifndef CAIRN_CONSENSUS_PARAMS_H
#define CAIRN_CONSENSUS_PARAMS_H

#include "base/u256.h"
#include "primitives/address.h"
#include "primitives/block.h"

enum chain_type { CHAIN_MAIN, CHAIN_TESTNET3, CHAIN_TESTNET4, CHAIN_SIGNET, CHAIN_REGTEST, CHAIN_TYPES };

enum {
    COINBASE_MATURITY = 100, /* blocks */
    MAX_FUTURE_BLOCK_TIME_S = 7200,
    MAX_BLOCK_SIGOPS_COST = 80000,
    MAX_TIMEWARP_S = 600,  /* BIP94 */
    MEDIAN_TIME_SPAN = 11, /* headers */
};

/* Deployments whose activation height is fixed (BIP90). */
enum buried_deployment { BURIED_BIP34, BURIED_BIP66, BURIED_BIP65, BURIED_CSV, BURIED_SEGWIT, BURIED_COUNT };

/* Deployments by version bits (BIP9). */
enum bit_deployment { DEPLOYMENT_TESTDUMMY, DEPLOYMENT_COUNT };

#define DEPLOYMENT_ALWAYS_ACTIVE INT64_C(-1)
#define DEPLOYMENT_NEVER_ACTIVE  INT64_C(-2)
#define DEPLOYMENT_NO_TIMEOUT    INT64_MAX

struct bip9_params {
    const char *name; /* "testdummy" */
    int bit;
    int64_t start_time_s; /* median time past, or one of the constants above */
    int64_t timeout_s;
    int32_t min_activation_height;
    uint32_t period;    /* blocks */
    uint32_t threshold; /* of period */
    bool gbt_optional;  /* may be ignored by a miner (getblocktemplate without '!') */
};

struct script_flag_exception {
    struct block_hash hash;
    unsigned flags; /* replaces P2SH|WITNESS|TAPROOT in this block */
};

struct assume_utxo {
    int32_t height;
    struct block_hash hash;
    uint8_t utxo_hash[32]; /* hash_serialized_3, internal order */
    uint64_t chain_tx_count;
};

struct chain_params {
    enum chain_type type;
    const char *name;   /* "main", "test", "testnet4", "signet", "regtest": the RPC's `chain` */
    const char *subdir; /* below the data directory; "" for main */
    uint8_t magic[4];
    uint16_t p2p_port, rpc_port, onion_port;
    const char *const *dns_seeds;
    size_t dns_seed_count;
    struct address_prefixes prefixes;

    struct span genesis_raw; /* the whole block */
    struct block_hash genesis_hash;

    struct u256 pow_limit;
    uint32_t pow_limit_bits;
    int64_t target_timespan_s;
    int64_t target_spacing_s;
    bool allow_min_difficulty; /* the 20-minute rule */
    bool no_retargeting;
    bool enforce_bip94;
    int32_t halving_interval; /* blocks */

    int32_t buried[BURIED_COUNT]; /* first height at which each rule holds */
    struct block_hash bip34_hash; /* null where unknown */
    bool has_bip34_hash;
    struct bip9_params deployments[DEPLOYMENT_COUNT];
    int32_t min_bip9_warning_height;
    const struct script_flag_exception *script_flag_exceptions;
    size_t script_flag_exception_count;

    struct u256 minimum_chain_work;
    struct block_hash assume_valid; /* null: none */

    bool signet;
    struct span signet_challenge; /* a script (BIP325) */

    const struct assume_utxo *assume_utxo;
    size_t assume_utxo_count;
    uint64_t prune_after_height;
    int64_t tx_data_time_s; /* for the progress estimate */
    uint64_t tx_data_count;
    double tx_data_rate; /* transactions a second after that */
    unsigned assumed_blockchain_gb, assumed_chainstate_gb;
    uint32_t headers_commitment_period; /* header pre-synchronisation: headers between commitment bits */
    uint32_t headers_redownload_size;   /* header pre-synchronisation: headers held back in the second pass */
    bool mockable_time;
    bool default_consistency_checks;
};

/* Blocks between retargets. */
static inline int32_t retarget_interval(const struct chain_params *p)
{
    return (int32_t)(p->target_timespan_s / p->target_spacing_s);
}

/* The built-in parameters of a network. */
const struct chain_params *chain_params_get(enum chain_type type);

/* Finds a network by its `name` ("main" ...); NULL where there is none. */
const struct chain_params *chain_params_find(const char *name);

/* Turns *P (a copy of signet's) into a signet with another challenge: magic, no seeds, no minimum work, no assumevalid.
 * CHALLENGE must outlive P (BIP325). */
void chain_params_set_signet_challenge(struct chain_params *p, struct span challenge);

/* -testactivationheight=NAME@HEIGHT; false where the name is unknown (segwit bip34 dersig cltv csv) or malformed. */
MUST_USE bool chain_params_set_activation(struct chain_params *p, const char *text, char *error, size_t error_size);

/* -vbparams=NAME:START:TIMEOUT[:MIN_HEIGHT]; false and a sentence where it makes no sense. */
MUST_USE bool chain_params_set_vbparams(struct chain_params *p, const char *text, char *error, size_t error_size);

/* Names as getdeploymentinfo has them: "bip34", "bip66", "bip65", "csv", "segwit". */
const char *buried_deployment_name(enum buried_deployment d);

#endif
