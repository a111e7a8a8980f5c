/* The option rows, and the texts made from them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/args.h"
#include "daemon/help.h"

static const struct option_table *const tables[] = {&options_daemon, &options_cli, &options_miner};

Test(options, rows_are_sorted_and_complete)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct option_row *row = &tables[t]->rows[i];
            if (i) cr_expect_lt(strcmp(row[-1].name, row->name), 0, "%s", row->name);
            cr_expect_eq(option_find(tables[t], row->name), row);
            if (option_is_shown(row, true)) cr_expect_gt(strlen(row->help), 10, "%s", row->name);
            if (row->kind == OPTION_LIST) cr_expect_null(row->fallback, "%s", row->name);
            if (row->kind != OPTION_BOOL && option_is_shown(row, true)) cr_expect_not_null(row->value, "%s", row->name);
        }
        cr_expect_null(option_find(tables[t], "nosuch"));
    }
}

/* What the functional tests of Bitcoin Core write into every configuration and pass to every node. */
Test(options, what_existing_configurations_contain_is_known)
{
    static const char config[] =
        "regtest=1\n[regtest]\nport=1\nrpcport=2\nrpcservertimeout=99000\nrpcdoccheck=1\nrpcthreads=2\n"
        "fallbackfee=0.0002\nserver=1\nkeypool=1\ndiscover=0\ndnsseed=0\nfixedseeds=0\nlistenonion=0\n"
        "peertimeout=999999999\nprinttoconsole=0\nnatpmp=0\nshrinkdebugfile=0\nunsafesqlitesync=1\nconnect=0\n"
        "maxconnections=94\npar=2\nprevoutfetchthreads=1\nbind=127.0.0.1\n";
    static const char *const argv[] = {
        "cairnd",
        "-logtimemicros",
        "-debug",
        "-uacomment=x",
        "-debugexclude=rand",
        "-disablewallet",
        "-loglevel=trace",
        "-logthreadnames",
        "-logsourcelocations",
        "-nologratelimit",
        "-v2transport=0",
        "-whitelist=noban,in,out@127.0.0.1",
        "-txindex",
        "-testactivationheight=segwit@2",
        "-bind=127.0.0.1:1=onion",
    };
    struct args a;
    struct buffer error = {0};
    args_init(&a, &options_daemon, NULL);
    cr_assert(args_parse_command_line(&a, (int)ARRAY_LEN(argv), argv, &error), "%s", buffer_text(&error));
    cr_assert(args_read_config_text(&a, "f", config, &error), "%s", buffer_text(&error));
    cr_assert(args_select_chain(&a, &error));
    cr_expect(args_check_sections(&a, &error));
    cr_expect_eq(args_int(&a, "rpcport"), 2);
    cr_expect_eq(args_int(&a, "rpcservertimeout"), 99000);
    for (const char *line = strchr(config, ']') + 2; *line; line = strchr(line, '\n') + 1) {
        char name[64];
        cr_assert_eq(sscanf(line, "%63[^=]", name), 1);
        cr_expect_not_null(option_find(&options_daemon, name), "%s", name);
    }
    buffer_clear(&error);
    args_clear(&a);
}

Test(options, help)
{
    struct buffer plain = {0};
    struct buffer debug = {0};
    help_options(&options_daemon, false, &plain);
    help_options(&options_daemon, true, &debug);
    const char *text = buffer_text(&plain);
    cr_expect(!strncmp(text, "Options:\n\n", 10));
    cr_expect(strstr(text, "\n  -datadir=<dir>\n       Keep everything"));
    cr_expect(strstr(text, "(default: 450)"));
    cr_expect(!strstr(text, "\n  -stopatheight"));
    cr_expect(strstr(buffer_text(&debug), "\n  -stopatheight"));
    cr_expect(!strstr(buffer_text(&debug), "\n  -asmap"), "reserved");
    cr_expect(!strstr(buffer_text(&debug), "\n  -keypool"), "without effect");
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        if (line[2] != '-') cr_expect_leq(len, 79, "%.*s", (int)len, line);
        line += len + 1;
    }
    buffer_clear(&plain);
    buffer_clear(&debug);
}

Test(options, help_answers)
{
    static const struct {
        const char *option;
        const char *start; /* NULL: no answer */
    } cases[] = {
        {"-help", "cairn daemon version v"},
        {"-h", "cairn daemon version v"},
        {"-?", "cairn daemon version v"},
        {"-help-debug", "cairn daemon version v"},
        {"-version", "cairn daemon version v"},
        {"-gen=conf", "# Configuration of cairnd"},
        {"-gen=man", ".\\\" Made from"},
        {"-gen=completion", "# bash completion for cairnd"},
        {"-gen=markdown", "# Options of cairnd"},
        {"-gen=rpc", "# JSON-RPC methods"},
        {"-regtest", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *argv[] = {"cairnd", cases[i].option};
        struct args a;
        struct buffer out = {0};
        args_init(&a, &options_daemon, NULL);
        cr_assert(args_parse_command_line(&a, 2, argv, &out));
        cr_expect_eq(help_answer(&a, "daemon", &out), cases[i].start != NULL);
        if (cases[i].start) cr_expect(!strncmp(buffer_text(&out), cases[i].start, strlen(cases[i].start)));
        buffer_clear(&out);
        args_clear(&a);
    }
}

/* The example configuration must be one that can be read, also with every line switched on. */
Test(options, example_configuration_is_valid)
{
    struct buffer conf = {0};
    struct buffer error = {0};
    struct args a;
    help_gen_conf(&options_daemon, &conf);
    args_init(&a, &options_daemon, NULL);
    cr_expect(args_read_config_text(&a, "f", buffer_text(&conf), &error));
    cr_expect_eq(a.count, 0, "nothing is set");
    for (size_t i = 0; i + 1 < conf.len; i++) {
        if (conf.data[i] == '#' && conf.data[i + 1] >= 'a' && conf.data[i + 1] <= 'z') conf.data[i] = ' ';
    }
    cr_expect(args_read_config_text(&a, "f", buffer_text(&conf), &error), "%s", buffer_text(&error));
    cr_expect_gt(a.count, 30);
    args_clear(&a);
    buffer_clear(&conf);
    buffer_clear(&error);
}
