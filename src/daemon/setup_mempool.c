/* The options of the pool of unconfirmed transactions. */
#include <stdio.h>
#include <string.h>

#include "daemon/network_setup.h"

enum {
    MOST_CHECKS = 1000000, /* one in so many, at the rarest */
    BYTES_PER_MB = 1000000,
    BYTES_OF_MEMORY_PER_VBYTE = 40, /* the pool must have room for one full cluster */
    VBYTES_PER_KVB = 1000,
    SECONDS_PER_HOUR = 3600,
};

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* An amount as users type it: blanks around it do not count, there is no sign, and it is no more than there can be. */
static bool parse_money(amount_sat *out, const char *text)
{
    static const char blank[] = " \f\n\r\t\v", digits[] = "0123456789";
    text += strspn(text, blank);
    size_t len = strlen(text);
    while (len && strchr(blank, text[len - 1])) len--;
    size_t whole = strspn(text, digits);
    bool point = whole < len && text[whole] == '.';
    size_t part = point ? strspn(text + whole + 1, digits) : 0;
    if (!len || whole > 10 || part > 8 || whole + point + part != len) return false;
    uint64_t sat = 0;
    for (size_t i = 0; i < whole + 8; i++) {
        size_t at = i < whole ? i : i + point;
        sat = sat * 10 + (at < len ? (uint64_t)(text[at] - '0') : 0);
    }
    *out = (amount_sat)sat;
    return sat <= (uint64_t)MAX_MONEY_SAT;
}

static bool read_rate(struct daemon *d, const char *option, struct fee_rate *out, struct start_error *error)
{
    const char *text = args_string(&d->args, option);
    if (parse_money(&out->sat_per_kvb, text)) return true;
    return start_fail(error, "Invalid amount for -%s=<amount>: '%.200s'", option, text);
}

static bool read_rates(struct daemon *d, struct mempool_options *o, struct start_error *error)
{
    char text[AMOUNT_TEXT];
    if (!read_rate(d, "incrementalrelayfee", &o->incremental, error) ||
        !read_rate(d, "minrelaytxfee", &o->min_relay, error) || !read_rate(d, "dustrelayfee", &o->standard.dust, error))
        return false;
    if (args_is_set(&d->args, "minrelaytxfee") || o->incremental.sat_per_kvb <= o->min_relay.sat_per_kvb) return true;
    o->min_relay = o->incremental; /* who sets the one alone means both */
    log_info(&d->log.log, "Increasing minrelaytxfee to %s BTC/kvB to match incrementalrelayfee",
             amount_text(text, o->min_relay.sat_per_kvb));
    return true;
}

static bool read_limits(struct daemon *d, struct mempool_options *o, struct start_error *error)
{
    int64_t count = args_int(&d->args, "limitclustercount"), kvb = args_int(&d->args, "limitclustersize");
    if (count < 0 || count > MEMPOOL_CLUSTER_COUNT_DEFAULT)
        return start_fail(error, "limitclustercount must be less than or equal to %d", MEMPOOL_CLUSTER_COUNT_DEFAULT);
    o->cluster_count = count ? (unsigned)count : 1;
    o->cluster_vbytes = (uint64_t)clamp(kvb, 0, INT32_MAX / VBYTES_PER_KVB) * VBYTES_PER_KVB;
    int64_t mb = args_int(&d->args, "maxmempool");
    uint64_t least = o->cluster_vbytes * BYTES_OF_MEMORY_PER_VBYTE;
    if (mb < 0 || (mb && mb < INT32_MAX && (uint64_t)mb * BYTES_PER_MB < least))
        return start_fail(error, "-maxmempool must be at least %d MB",
                          (int)((least + BYTES_PER_MB - 1) / BYTES_PER_MB));
    o->max_bytes = (uint64_t)clamp(mb, 0, INT32_MAX) * BYTES_PER_MB;
    o->expiry_s = clamp(args_int(&d->args, "mempoolexpiry"), INT32_MIN, INT32_MAX) * SECONDS_PER_HOUR;
    return true;
}

static void read_standard(struct daemon *d, struct mempool_options *o)
{
    struct standard_rules *s = &o->standard;
    bool carrier = args_bool(&d->args, "datacarrier");
    s->data_carrier_bytes = carrier ? (uint64_t)clamp(args_int(&d->args, "datacarriersize"), 0, UINT32_MAX) : 0;
    s->bare_multisig = args_bool(&d->args, "permitbaremultisig");
    s->bytes_per_sigop = (unsigned)clamp(args_int(&d->args, "bytespersigop"), 0, INT32_MAX);
    o->require_standard = !args_bool(&d->args, "acceptnonstdtxn");
}

static void warn_of_old_limits(struct daemon *d)
{
    static const char *const kinds[] = {"ancestor", "descendant"};
    char option[32];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        snprintf(option, sizeof(option), "limit%ssize", kinds[i]);
        if (args_is_set(&d->args, option))
            start_warn(d,
                       "Option '-%s' is given but %s size limits have been replaced with cluster size limits (see "
                       "-limitclustersize). This option has no effect.",
                       option, kinds[i]);
    }
}

bool setup_mempool_options(struct daemon *d, struct start_error *error)
{
    struct mempool_options *o = &d->options.mempool;
    warn_of_old_limits(d);
    if (!read_rates(d, o, error) || !read_limits(d, o, error)) return false;
    read_standard(d, o);
    o->check_one_in = (unsigned)clamp(
        args_int_or(&d->args, "checkmempool", d->options.params.default_consistency_checks), 0, MOST_CHECKS);
    memcpy(o->seed, d->options.chain.seed, sizeof(o->seed));
    if (d->net_setup) d->net_setup->options.min_relay_fee_sat = o->min_relay.sat_per_kvb;
    return true;
}
