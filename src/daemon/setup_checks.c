/* Options that contradict the chain or each other, and those that are better not kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "daemon/daemon.h"

enum { MAX_BLOCK_WEIGHT_WU = 4000000, MIN_RESERVED_WEIGHT_WU = 2000, MIN_PRUNE_MIB = 550 };

static bool check_chain_only(struct daemon *d, struct start_error *error)
{
    const struct chain_params *p = &d->options.params;
    if (args_bool(&d->args, "acceptnonstdtxn") && p->type == CHAIN_MAIN)
        return start_fail(error, "acceptnonstdtxn is not currently supported for %s chain", p->name);
    if (args_bool(&d->args, "acceptstalefeeestimates") && p->type != CHAIN_REGTEST)
        return start_fail(error, "acceptstalefeeestimates is not supported on %s chain.", p->name);
    if (args_int(&d->args, "maxreorg") > 0 && p->type != CHAIN_REGTEST)
        return start_fail(error,
                          "-maxreorg is for regtest only: it is no rule of Bitcoin, and a node that kept to it could "
                          "part from the %s network for good.",
                          p->name);
    return true;
}

bool wants_filter_index(const struct daemon *d)
{
    const char *value = args_string(&d->args, "blockfilterindex");
    return value && strcmp(value, "0") != 0;
}

/* The value that counts says whether it is a switch or the first of a list of types, of which there is one. */
static bool check_filters(struct daemon *d, struct start_error *error)
{
    const char *value = args_string(&d->args, "blockfilterindex");
    if (value && *value && strcmp(value, "1") != 0 && strcmp(value, "0") != 0) {
        size_t count;
        const char **names = args_list(&d->args, "blockfilterindex", &count), *unknown = NULL;
        for (size_t i = 0; i < count && !unknown; i++)
            if (strcmp(names[i], "basic") != 0) unknown = names[i];
        free(names);
        if (unknown) return start_fail(error, "Unknown -blockfilterindex value %.200s.", unknown);
    }
    if (args_bool(&d->args, "peerblockfilters") && !wants_filter_index(d))
        return start_fail(error, "Cannot set -peerblockfilters without -blockfilterindex.");
    return true;
}

static bool check_prune(struct daemon *d, struct start_error *error)
{
    int64_t mib = args_int(&d->args, "prune");
    if (mib && args_bool(&d->args, "txindex")) return start_fail(error, "Prune mode is incompatible with -txindex.");
    if (mib && args_bool(&d->args, "reindex-chainstate"))
        return start_fail(error, "Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead.");
    if (mib < 0) return start_fail(error, "Prune cannot be configured with a negative value.");
    if (mib > 1 && mib < MIN_PRUNE_MIB)
        return start_fail(error, "Prune configured below the minimum of %d MiB.  Please use a higher number.",
                          MIN_PRUNE_MIB);
    if (mib == 1)
        log_info(&d->log.log, "Blocks are pruned on request: call pruneblockchain");
    else if (mib)
        log_info(&d->log.log, "Block files are pruned to stay below %lld MiB", (long long)mib);
    return true;
}

static bool check_mining(struct daemon *d, struct start_error *error)
{
    long long most = (long long)args_int(&d->args, "blockmaxweight");
    long long reserved = (long long)args_int(&d->args, "blockreservedweight");
    amount_sat fee;
    if (reserved < MIN_RESERVED_WEIGHT_WU)
        return start_fail(error, "-blockreservedweight (%lld) is lower than minimum safety value of (%d)", reserved,
                          MIN_RESERVED_WEIGHT_WU);
    if (reserved > MAX_BLOCK_WEIGHT_WU)
        return start_fail(error, "-blockreservedweight (%lld) exceeds consensus maximum block weight (%d)", reserved,
                          MAX_BLOCK_WEIGHT_WU);
    if (most > MAX_BLOCK_WEIGHT_WU)
        return start_fail(error, "-blockmaxweight (%lld) exceeds consensus maximum block weight (%d)", most,
                          MAX_BLOCK_WEIGHT_WU);
    if (reserved > most)
        return start_fail(error, "-blockreservedweight (%lld) exceeds -blockmaxweight (%lld)", reserved, most);
    const char *text = args_string(&d->args, "blockmintxfee");
    if (!amount_parse(&fee, text) || !money_range(fee))
        return start_fail(error, "Invalid amount for -blockmintxfee=<amount>: '%.100s'", text);
    d->options.block_max_weight_wu = (uint64_t)most;
    d->options.block_reserved_weight_wu = (uint64_t)reserved;
    d->options.print_priority = args_bool(&d->args, "printpriority");
    d->options.block_min_fee_sat = fee;
    if (d->options.params.type == CHAIN_REGTEST)
        d->options.block_version = (int32_t)args_int_or(&d->args, "blockversion", 0);
    return true;
}

/* What the user should know, though nothing is wrong. */
static void log_hints(struct daemon *d)
{
    const struct chain_params *p = &d->options.params;
    if (p->type == CHAIN_SIGNET) {
        struct buffer magic = {0};
        hex_append(&magic, span_of(p->magic, sizeof(p->magic)));
        log_info(&d->log.log, "Signet derived magic (message start): %s", buffer_text(&magic));
        buffer_clear(&magic);
    }
    if (p->type == CHAIN_TESTNET3)
        log_info(&d->log.log, "Warning: Support for testnet3 is deprecated and will be removed in an upcoming release. "
                              "Consider switching to testnet4.");
}

/* Options that are taken for other programs' sake, or for parts of the node that are not here, are named once. */
static void log_options_without_effect(struct daemon *d)
{
    struct buffer names = {0};
    for (size_t i = 0; i < options_daemon.count; i++) {
        const struct option_row *row = &options_daemon.rows[i];
        if ((row->flags & OPTION_RESERVED) && args_is_set(&d->args, row->name))
            buffer_printf(&names, " -%s", row->name);
    }
    if (names.len) log_info(&d->log.log, "Options without an effect in this version:%s", buffer_text(&names));
    buffer_clear(&names);
}

bool setup_checks(struct daemon *d, struct start_error *error)
{
    log_hints(d);
    log_options_without_effect(d);
    return check_chain_only(d, error) && check_filters(d, error) && check_prune(d, error) && check_mining(d, error);
}
