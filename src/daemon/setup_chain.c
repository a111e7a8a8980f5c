/* Chain parameters and limits out of the options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "daemon/daemon.h"
#include "daemon/version.h"

enum {
    FILE_BYTES = 128 << 20,
    FAST_PRUNE_FILE_BYTES = 64 << 10,
    FAST_PRUNE_AFTER_HEIGHT = 100, /* on regtest */
    MIN_CACHE_MIB = 4,
    SIG_CACHE_MIB = 32,
};

/* Hex of up to 64 digits, 0x in front allowed, padded on the left: block hashes and chain work as users type them. */
static bool parse_u256(const char *text, uint8_t big_endian[32])
{
    char digits[65];
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) text += 2;
    size_t len = strlen(text);
    if (len > 64) return false;
    memset(digits, '0', 64 - len);
    memcpy(digits + 64 - len, text, len + 1);
    return hex_decode(big_endian, 32, digits);
}

static bool set_signet(struct daemon *d, struct start_error *error)
{
    size_t count;
    const char **challenges = args_list(&d->args, "signetchallenge", &count);
    bool ok = true;
    if (count > 1)
        ok = start_fail(error, "-signetchallenge cannot be multiple values.");
    else if (count == 1 && !hex_decode_append(&d->signet_challenge, challenges[0], strlen(challenges[0])))
        ok = start_fail(error, "-signetchallenge must be hex, not '%s'.", challenges[0]);
    else if (count == 1)
        chain_params_set_signet_challenge(&d->options.params, buffer_span(&d->signet_challenge));
    free(challenges);
    return ok;
}

static bool set_deployments(struct daemon *d, struct start_error *error)
{
    static const struct {
        const char *option;
        bool (*set)(struct chain_params *p, const char *text, char *error, size_t error_size);
    } rows[] = {{"testactivationheight", chain_params_set_activation}, {"vbparams", chain_params_set_vbparams}};
    char text[256];
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        size_t count;
        const char **values = args_list(&d->args, rows[r].option, &count);
        bool ok = true;
        if (count && d->options.params.type == CHAIN_MAIN)
            ok = start_fail(error, "The -%s option may not be used on mainnet.", rows[r].option);
        for (size_t i = 0; ok && i < count && d->options.params.type == CHAIN_REGTEST; i++)
            if (!rows[r].set(&d->options.params, values[i], text, sizeof(text))) ok = start_fail(error, "%s", text);
        free(values);
        if (!ok) return false;
    }
    return true;
}

static bool set_test_options(struct daemon *d, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "test", &count);
    free(values);
    if (count && d->options.params.type != CHAIN_REGTEST)
        return start_fail(error, "-test=<option> can only be used with regtest");
    if (args_list_has(&d->args, "test", "bip94")) d->options.params.enforce_bip94 = true;
    return true;
}

static bool set_trust(struct daemon *d, struct start_error *error)
{
    struct chain_options *o = &d->options.chain;
    uint8_t value[32];
    o->minimum_chain_work = d->options.params.minimum_chain_work;
    o->assume_valid = d->options.params.assume_valid;
    if (args_is_set(&d->args, "minimumchainwork")) {
        const char *text = args_string(&d->args, "minimumchainwork");
        if (!parse_u256(text, value))
            return start_fail(error, "Invalid minimum work specified (%s), must be up to 64 hex digits", text);
        o->minimum_chain_work = u256_from_be(value);
    }
    if (args_is_set(&d->args, "assumevalid")) {
        const char *text = args_string(&d->args, "assumevalid");
        if (!parse_u256(text, value))
            return start_fail(
                error, "Invalid assumevalid block hash specified (%s), must be up to 64 hex digits (or 0 to disable)",
                text);
        for (int i = 0; i < 32; i++) o->assume_valid.bytes[i] = value[31 - i];
    }
    return true;
}

/* What cannot be is refused by setup_checks. */
static void set_pruning(struct daemon *d)
{
    struct chain_options *o = &d->options.chain;
    int64_t mib = args_int(&d->args, "prune");
    bool fast = args_bool(&d->args, "fastprune");
    if (mib > 0) o->prune_target = mib == 1 || mib > INT64_MAX >> 20 ? PRUNE_MANUALLY : (uint64_t)mib << 20;
    o->max_file_bytes = fast ? FAST_PRUNE_FILE_BYTES : FILE_BYTES;
    if (fast && d->options.params.type == CHAIN_REGTEST) d->options.params.prune_after_height = FAST_PRUNE_AFTER_HEIGHT;
}

static uint32_t block_count(const struct daemon *d, const char *name)
{
    int64_t n = args_int(&d->args, name);
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (uint32_t)n;
}

static void set_limits(struct daemon *d)
{
    struct chain_options *o = &d->options.chain;
    int64_t cache = args_int(&d->args, "dbcache");
    if (cache < MIN_CACHE_MIB) cache = MIN_CACHE_MIB;
    o->cache_bytes = (uint64_t)cache << 20;
    int64_t sig_cache = args_int_or(&d->args, "maxsigcachesize", SIG_CACHE_MIB);
    o->sig_cache_bytes = sig_cache <= 0 ? 0 : (uint64_t)(sig_cache > INT32_MAX ? INT32_MAX : sig_cache) << 20;
    o->max_tip_age_s = args_int_or(&d->args, "maxtipage", 0);
    o->check_index = args_bool_or(&d->args, "checkblockindex", d->options.params.default_consistency_checks);
    o->reindex = args_bool(&d->args, "reindex");
    o->max_reorg = block_count(d, "maxreorg");
    d->options.reorg_alarm = block_count(d, "reorgalarm");
    d->options.stop_at_height = (int32_t)args_int(&d->args, "stopatheight");
    d->options.mock_time_s = args_int(&d->args, "mocktime");
}

static bool set_seed(struct daemon *d, struct start_error *error)
{
    if (getrandom(d->options.chain.seed, sizeof(d->options.chain.seed), 0) != sizeof(d->options.chain.seed))
        return start_fail(error, "The system gives no random numbers.");
    return true;
}

static const char *unsafe_comment(const char *comment)
{
    for (const char *c = comment; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!letter && !strchr(" .,;-_?@", *c)) return comment;
    }
    return NULL;
}

/* BIP14: comments stand in brackets behind our own part. */
static bool set_subversion(struct daemon *d, struct start_error *error)
{
    enum { MAX_SUBVERSION = 256 };
    size_t count;
    const char **comments = args_list(&d->args, "uacomment", &count);
    struct buffer text = {0};
    bool ok = true;
    buffer_printf(&text, "/Satoshi:31.99.0/%s:%s", CAIRN_NAME, CAIRN_VERSION);
    for (size_t i = 0; ok && i < count; i++) {
        if (unsafe_comment(comments[i]))
            ok = start_fail(error, "User Agent comment (%s) contains unsafe characters.", comments[i]);
        buffer_printf(&text, "%s%s", i ? "; " : "(", comments[i]);
    }
    buffer_put_str(&text, count ? ")/" : "/");
    free(comments);
    if (ok && text.len > MAX_SUBVERSION)
        ok = start_fail(
            error,
            "Total length of network version string (%zu) exceeds maximum length (%d). Reduce the number or size "
            "of uacomments.",
            text.len, MAX_SUBVERSION);
    if (ok) snprintf(d->subversion, sizeof(d->subversion), "%s", buffer_text(&text));
    buffer_clear(&text);
    return ok;
}

bool setup_chain_options(struct daemon *d, struct start_error *error)
{
    d->options.params = *chain_params_find(args_chain(&d->args)->name);
    if (d->options.params.type == CHAIN_SIGNET && !set_signet(d, error)) return false;
    if (!set_deployments(d, error) || !set_test_options(d, error) || !set_trust(d, error)) return false;
    if (!set_subversion(d, error) || !set_seed(d, error)) return false;
    set_limits(d);
    set_pruning(d);
    d->options.version = CAIRN_VERSION;
    d->options.subversion = d->subversion;
    d->options.log_path = d->log_path;
    return true;
}
