/* Options of the pool: what the rest of the node gets of them, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/daemon.h"

static void note(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                 const char *text)
{
    (void)level, (void)category, (void)source;
    buffer_printf(ctx, "%s\n", text);
}

struct fixture {
    struct daemon d;
    struct buffer log;
    struct start_error error;
    bool ok;
};

/* Reads LINE, words separated by "|", as a command line of cairnd. */
static struct fixture *begin(const char *chain, const char *line)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));
    const char *argv[24] = {"cairnd"};
    int argc = 1;
    char *copy = strdup(line), *save = NULL;
    struct buffer error = {0};
    f->d.log.log = (struct log){.write = note, .ctx = &f->log};
    args_init(&f->d.args, &options_daemon, &f->d.log.log);
    for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save)) argv[argc++] = w;
    cr_assert(args_parse_command_line(&f->d.args, argc, argv, &error), "%s", buffer_text(&error));
    args_force_set(&f->d.args, "chain", chain);
    cr_assert(args_select_chain(&f->d.args, &error));
    f->d.options.params = *chain_params_find(chain);
    f->log.len = 0;
    f->ok = setup_mempool_options(&f->d, &f->error);
    free(copy);
    buffer_clear(&error);
    return f;
}

static void end(struct fixture *f)
{
    args_clear(&f->d.args);
    buffer_clear(&f->log);
    buffer_clear(&f->error.text);
    free(f);
}

Test(mempool_options, defaults)
{
    struct fixture *f = begin("main", "");
    const struct mempool_options *o = &f->d.options.mempool;
    cr_assert(f->ok);
    cr_expect_eq(o->max_bytes, 300000000);
    cr_expect_eq(o->expiry_s, 336 * 3600);
    cr_expect_eq(o->min_relay.sat_per_kvb, MIN_RELAY_FEE_DEFAULT);
    cr_expect_eq(o->incremental.sat_per_kvb, INCREMENTAL_FEE_DEFAULT);
    cr_expect_eq(o->standard.dust.sat_per_kvb, DUST_FEE_DEFAULT);
    cr_expect_eq(o->standard.data_carrier_bytes, DATA_CARRIER_DEFAULT);
    cr_expect(o->standard.bare_multisig && o->require_standard);
    cr_expect_eq(o->standard.bytes_per_sigop, BYTES_PER_SIGOP_DEFAULT);
    cr_expect_eq(o->cluster_count, MEMPOOL_CLUSTER_COUNT_DEFAULT);
    cr_expect_eq(o->cluster_vbytes, 1000 * MEMPOOL_CLUSTER_KVB_DEFAULT);
    cr_expect_eq(o->check_one_in, 0);
    end(f);
    f = begin("regtest", "");
    cr_expect_eq(f->d.options.mempool.check_one_in, 1, "regtest checks after each change");
    end(f);
}

Test(mempool_options, read)
{
    struct fixture *f = begin(
        "regtest", "-maxmempool=50|-mempoolexpiry=2|-minrelaytxfee= 0.00002 |-incrementalrelayfee=.00003|"
                   "-dustrelayfee=1.|-datacarriersize=83|-permitbaremultisig=0|-bytespersigop=40|-acceptnonstdtxn|"
                   "-limitclustercount=10|-limitclustersize=20|-checkmempool=7");
    const struct mempool_options *o = &f->d.options.mempool;
    cr_assert(f->ok, "%s", buffer_text(&f->error.text));
    cr_expect_eq(o->max_bytes, 50000000);
    cr_expect_eq(o->expiry_s, 7200);
    cr_expect_eq(o->min_relay.sat_per_kvb, 2000);
    cr_expect_eq(o->incremental.sat_per_kvb, 3000);
    cr_expect_eq(o->standard.dust.sat_per_kvb, COIN_SAT);
    cr_expect_eq(o->standard.data_carrier_bytes, 83);
    cr_expect(!o->standard.bare_multisig && !o->require_standard);
    cr_expect_eq(o->standard.bytes_per_sigop, 40);
    cr_expect_eq(o->cluster_count, 10);
    cr_expect_eq(o->cluster_vbytes, 20000);
    cr_expect_eq(o->check_one_in, 7);
    end(f);
}

Test(mempool_options, one_changes_another)
{
    struct fixture *f = begin("regtest", "-incrementalrelayfee=0.00005");
    cr_expect_eq(f->d.options.mempool.min_relay.sat_per_kvb, 5000);
    cr_expect_str_eq(buffer_text(&f->log),
                     "Increasing minrelaytxfee to 0.00005000 BTC/kvB to match incrementalrelayfee\n");
    end(f);
    f = begin("regtest", "-datacarrier=0|-datacarriersize=100");
    cr_expect_eq(f->d.options.mempool.standard.data_carrier_bytes, 0);
    end(f);
    f = begin("regtest", "-limitancestorsize=5");
    cr_expect(
        strstr(buffer_text(&f->log), "'-limitancestorsize' is given but ancestor size limits have been replaced"));
    end(f);
}

Test(mempool_options, refused)
{
    static const struct {
        const char *line, *error;
    } rows[] = {
        {"-maxmempool=4", "-maxmempool must be at least 5 MB"},
        {"-maxmempool=-1", "-maxmempool must be at least 5 MB"},
        {"-maxmempool=39|-limitclustersize=1000", "-maxmempool must be at least 40 MB"},
        {"-limitclustercount=65", "limitclustercount must be less than or equal to 64"},
        {"-limitclustercount=-1", "limitclustercount must be less than or equal to 64"},
        {"-minrelaytxfee=x", "Invalid amount for -minrelaytxfee=<amount>: 'x'"},
        {"-minrelaytxfee=", "Invalid amount for -minrelaytxfee=<amount>: ''"},
        {"-minrelaytxfee=-1", "Invalid amount for -minrelaytxfee=<amount>: '-1'"},
        {"-incrementalrelayfee=0.000000001", "Invalid amount for -incrementalrelayfee=<amount>: '0.000000001'"},
        {"-dustrelayfee=21000001", "Invalid amount for -dustrelayfee=<amount>: '21000001'"},
        {"-dustrelayfee=1 1", "Invalid amount for -dustrelayfee=<amount>: '1 1'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f = begin("regtest", rows[i].line);
        cr_expect(!f->ok, "%s", rows[i].line);
        cr_expect_str_eq(buffer_text(&f->error.text), rows[i].error);
        end(f);
    }
}

Test(mempool_options, at_the_edge)
{
    static const char *const rows[] = {"-maxmempool=0",
                                       "-maxmempool=5",
                                       "-maxmempool=40|-limitclustersize=1000",
                                       "-maxmempool=9223372036854775807",
                                       "-mempoolexpiry=-9223372036854775808",
                                       "-limitclustersize=-5|-maxmempool=1",
                                       "-limitclustercount=64"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f = begin("regtest", rows[i]);
        cr_expect(f->ok, "%s: %s", rows[i], f->ok ? "" : buffer_text(&f->error.text));
        end(f);
    }
}
