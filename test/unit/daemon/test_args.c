/* Settings: which of several values counts, checked against the facts of Bitcoin Core's option tests. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/args.h"

static const struct option_row rows[] = {
    {"a", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"b", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"ccc", OPTION_LIST, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"chain", OPTION_STRING, GROUP_CHAIN, 0, NULL, "main", ""},
    {"d", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"fff", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"flag", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "1", ""},
    {"ggg", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"h", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"i", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"iii", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"includeconf", OPTION_LIST, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"net", OPTION_STRING, GROUP_GENERAL, OPTION_NETWORK_ONLY, NULL, NULL, ""},
    {"nets", OPTION_LIST, GROUP_GENERAL, OPTION_NETWORK_ONLY, NULL, NULL, ""},
    {"number", OPTION_INT, GROUP_GENERAL, 0, NULL, "42", ""},
    {"regtest", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", ""},
    {"rpcpassword", OPTION_STRING, GROUP_RPC, OPTION_SENSITIVE, NULL, "", ""},
    {"signet", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", ""},
    {"strict", OPTION_STRING, GROUP_GENERAL, OPTION_NO_NEGATION | OPTION_NEEDS_VALUE, NULL, NULL, ""},
    {"testnet", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", ""},
    {"testnet4", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", ""},
    {"value", OPTION_STRING, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"vflag", OPTION_BOOL, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"vint", OPTION_INT, GROUP_GENERAL, 0, NULL, NULL, ""},
    {"vlist", OPTION_LIST, GROUP_GENERAL, 0, NULL, NULL, ""},
};
static const struct option_table table = {.program = "prog", .rows = rows, .count = ARRAY_LEN(rows)};

/* Parses words separated by blanks (a "~" stands for a blank inside one). */
static bool parse(struct args *a, const char *words, struct buffer *error)
{
    const char *argv[16] = {"prog"};
    int argc = 1;
    char *copy = strdup(words);
    char *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w && argc < 16; w = strtok_r(NULL, " ", &save)) {
        for (char *c = w; *c; c++) {
            if (*c == '~') *c = ' ';
        }
        argv[argc++] = w;
    }
    bool ok = args_parse_command_line(a, argc, argv, error);
    free(copy);
    return ok;
}

static void setup(struct args *a, const char *line, const char *config)
{
    struct buffer error = {0};
    args_init(a, &table, NULL);
    cr_assert(parse(a, line, &error), "%s: %s", line, buffer_text(&error));
    cr_assert(args_read_config_text(a, "test.conf", config, &error), "%s: %s", config, buffer_text(&error));
    buffer_clear(&error);
}

static void expect_string(const struct args *a, const char *name, const char *expected)
{
    const char *got = args_string(a, name);
    if (!expected || !got) {
        cr_expect(!expected && !got, "%s is %s, not %s", name, got, expected);
    } else {
        cr_expect_str_eq(got, expected, "%s", name);
    }
}

/* The list joined with commas. */
static void expect_list(const struct args *a, const char *name, const char *expected)
{
    size_t count;
    const char **list = args_list(a, name, &count);
    struct buffer joined = {0};
    for (size_t i = 0; i < count; i++) buffer_printf(&joined, "%s%s", i ? "," : "", list[i]);
    cr_expect_str_eq(buffer_text(&joined), expected, "%s", name);
    buffer_clear(&joined);
    free(list);
}

Test(args, one_value)
{
    static const struct {
        const char *line;
        const char *string;
        bool flag;
        int64_t number;
        const char *list;
        bool negated;
    } cases[] = {
        {"", NULL, false, 0, "", false},           {"-noV", "0", false, 0, "", true},
        {"-noV=", "0", false, 0, "", true},        {"-noV=0", "1", true, 1, "1", false},
        {"-noV=1", "0", false, 0, "", true},       {"-noV=2", "0", false, 0, "", true},
        {"-noV=abc", "1", true, 1, "1", false},    {"-V", "", true, 0, "", false},
        {"--V", "", true, 0, "", false},           {"-V=", "", true, 0, "", false},
        {"-V=0", "0", false, 0, "0", false},       {"-V=1", "1", true, 1, "1", false},
        {"-V=2", "2", true, 2, "2", false},        {"-V=abc", "abc", false, 0, "abc", false},
        {"-V=a=b", "a=b", false, 0, "a=b", false}, {"-noV -V", "", true, 0, "", false},
        {"-V=3 -noV", "0", false, 0, "", true},    {"-V=3 -V=4", "4", true, 4, "3,4", false},
    };
    static const char *const names[] = {"value", "vflag", "vint", "vlist"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
            struct buffer line = {0};
            for (const char *c = cases[i].line; *c; c++) {
                if (*c == 'V') {
                    buffer_put_str(&line, names[n]);
                } else {
                    buffer_put_u8(&line, (uint8_t)*c);
                }
            }
            struct args a;
            setup(&a, buffer_text(&line), "");
            expect_string(&a, names[n], cases[i].string);
            cr_expect_eq(args_is_set(&a, names[n]), cases[i].string != NULL);
            cr_expect_eq(args_is_negated(&a, names[n]), cases[i].negated, "%s", buffer_text(&line));
            if (n == 1) cr_expect_eq(args_bool(&a, "vflag"), cases[i].flag, "%s", cases[i].line);
            if (n == 2) cr_expect_eq(args_int(&a, "vint"), cases[i].number, "%s", cases[i].line);
            if (n == 3) expect_list(&a, "vlist", cases[i].list);
            args_clear(&a);
            buffer_clear(&line);
        }
    }
}

Test(args, text_of_numbers)
{
    static const struct {
        const char *text;
        bool flag;
        int64_t number;
    } cases[] = {
        {"", true, 0},
        {" ", false, 0},
        {"0", false, 0},
        {"0 ", false, 0},
        {" 0", false, 0},
        {"+0", false, 0},
        {"-0", false, 0},
        {"5", true, 5},
        {"5 ", true, 5},
        {" 5", true, 5},
        {"+5", true, 5},
        {"-5", true, -5},
        {"0 5", false, 0},
        {"5 0", true, 5},
        {"050", true, 50},
        {"0.", false, 0},
        {"5.", true, 5},
        {"0.5", false, 0},
        {"5.5", true, 5},
        {"x", false, 0},
        {"x5", false, 0},
        {"0x", false, 0},
        {"5x", true, 5},
        {"0x5", false, 0},
        {"false", false, 0},
        {"true", false, 0},
        {"yes", false, 0},
        {"+-5", false, 0},
        {"--5", false, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", true, INT64_MAX},
        {"99999999999999999999", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"-99999999999999999999", true, INT64_MIN},
        {"-9223372036854775807", true, -INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_expect_eq(arg_text_int(cases[i].text), cases[i].number, "'%s'", cases[i].text);
        cr_expect_eq(arg_text_bool(cases[i].text), cases[i].flag, "'%s'", cases[i].text);
    }
}

Test(args, command_line_errors)
{
    static const struct {
        const char *line;
        const char *error;
    } cases[] = {
        {"-foo", "Invalid parameter -foo"},
        {"-foo=1", "Invalid parameter -foo=1"},
        {"-nofoo", "Invalid parameter -nofoo"},
        {"--foo", "Invalid parameter --foo"},
        {"-test.value=1", "Invalid parameter -test.value=1"},
        {"-.value=1", "Invalid parameter -.value=1"},
        {"--", "Invalid parameter --"},
        {"-nostrict", "Negating of -strict is meaningless and therefore forbidden"},
        {"-strict", "Can not set -strict with no value. Please specify value with -strict=value."},
        {"-includeconf=x.conf -includeconf=y.conf",
         "-includeconf cannot be used from commandline; -includeconf=\"x.conf\""},
        {"-includeconf", "-includeconf cannot be used from commandline; -includeconf=\"\""},
        {"-noincludeconf=0", "-includeconf cannot be used from commandline; -includeconf=true"},
        {"-noincludeconf", NULL},
        {"-value=1.5", NULL},
        {"-", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct args a;
        struct buffer error = {0};
        args_init(&a, &table, NULL);
        bool ok = parse(&a, cases[i].line, &error);
        cr_expect_eq(ok, cases[i].error == NULL, "%s", cases[i].line);
        struct buffer expected = {0};
        if (cases[i].error) buffer_printf(&expected, "Error parsing command line arguments: %s", cases[i].error);
        cr_expect_str_eq(buffer_text(&error), buffer_text(&expected));
        buffer_clear(&expected);
        buffer_clear(&error);
        args_clear(&a);
    }
}

Test(args, options_end_at_the_first_word)
{
    struct args a;
    struct buffer error = {0};
    setup(&a, "-a -ccc=argument -ccc=multiple f -d=e", "");
    cr_expect(args_is_set(&a, "a"));
    cr_expect(!args_is_set(&a, "d"));
    expect_list(&a, "ccc", "argument,multiple");
    cr_assert_eq(a.command_count, 2);
    cr_expect_str_eq(a.command[1], "-d=e");
    cr_expect(!args_check_no_command(&a, &error));
    cr_expect_str_eq(buffer_text(&error),
                     "Command line contains unexpected token 'f', see prog -h for a list of options.");
    buffer_clear(&error);
    args_clear(&a);
}

Test(args, command_line_and_configuration)
{
    struct args a;
    setup(&a, "", "nofff=1\nfff=1\nnoggg=0\n");
    expect_string(&a, "fff", "1");
    expect_string(&a, "ggg", "1");
    cr_expect(!args_is_negated(&a, "fff"));
    args_clear(&a);

    setup(&a, "-novlist -vint", "vlist=1\nnovint=1\n");
    cr_expect(args_is_negated(&a, "vlist"));
    expect_list(&a, "vlist", "");
    cr_expect(!args_is_negated(&a, "vint"));
    expect_string(&a, "vint", "");
    args_clear(&a);

    /* A value after the negation on the command line brings those of the file back. */
    setup(&a, "-vlist=a -novlist -vlist=b", "vlist=c\nvlist=d\n");
    expect_list(&a, "vlist", "b,c,d");
    args_clear(&a);

    /* The last value on the command line, the first in the file. */
    setup(&a, "-a=1 -a=2", "b=1\nb=2\na=3\n");
    expect_string(&a, "a", "2");
    expect_string(&a, "b", "1");
    args_clear(&a);
}

static const char sections[] = "a=\nb=1\nccc=argument\nccc=multiple\nd=e\nnofff=1\nnoggg=0\nh=1\nnoh=1\nnoi=1\ni=1\n"
                               "regtest.ccc=extend1\n\n[regtest]\nccc=extend2\nd=eee\nh=1\n[signet]\nccc=extend3\n"
                               "iii=2\n";

static void expect_common(const struct args *a)
{
    expect_string(a, "a", "");
    expect_string(a, "b", "1");
    expect_string(a, "fff", "0");
    expect_string(a, "ggg", "1");
}

Test(args, sections)
{
    struct args a;
    setup(&a, "", sections);
    expect_common(&a);
    expect_string(&a, "d", "e");
    expect_string(&a, "h", "0");
    expect_string(&a, "i", "1");
    expect_string(&a, "iii", NULL);
    expect_list(&a, "ccc", "argument,multiple");
    cr_expect(args_is_negated(&a, "fff"));
    cr_expect(!args_is_negated(&a, "ggg"));
    cr_expect(args_is_negated(&a, "h"));
    cr_expect(!args_is_negated(&a, "i"));

    a.chain = "regtest";
    expect_common(&a);
    expect_string(&a, "d", "eee");
    expect_string(&a, "h", "1");
    expect_list(&a, "ccc", "extend1,extend2,argument,multiple");

    a.chain = "signet";
    expect_common(&a);
    expect_string(&a, "d", "e");
    expect_string(&a, "h", "0");
    expect_string(&a, "iii", "2");
    expect_list(&a, "ccc", "extend3,argument,multiple");
    args_clear(&a);
}

Test(args, options_of_one_network)
{
    static const char config[] = "net=top\nnets=t1\n[regtest]\nnet=own\nnets=o1\n";
    struct args a;
    struct buffer error = {0};
    setup(&a, "", config);
    a.chain = "main";
    expect_string(&a, "net", "top");
    expect_list(&a, "nets", "t1");
    cr_expect(args_check_sections(&a, &error));
    a.chain = "regtest";
    expect_string(&a, "net", "own");
    expect_list(&a, "nets", "o1");
    cr_expect(args_check_sections(&a, &error));
    a.chain = "signet";
    expect_string(&a, "net", NULL);
    expect_list(&a, "nets", "");
    cr_expect(!args_check_sections(&a, &error));
    cr_expect_str_eq(buffer_text(&error),
                     "Config setting for -net only applied on signet network when in [signet] section.\n"
                     "Config setting for -nets only applied on signet network when in [signet] section.\n");
    error.len = 0;
    args_clear(&a);

    /* The command line says it for every chain; a negation at the top of the file counts everywhere. */
    setup(&a, "-nets=line", "nonet=1\nnets=t1\n");
    a.chain = "signet";
    expect_list(&a, "nets", "line");
    expect_string(&a, "net", "0");
    cr_expect(args_check_sections(&a, &error));
    args_clear(&a);
    buffer_clear(&error);
}

Test(args, unknown_sections_are_reported)
{
    struct args a;
    struct buffer out = {0};
    setup(&a, "", "testnot.a=1\n[testnet]\nb=1\n[test]\nb=2\n[main]\n");
    args_unknown_sections(&a, &out);
    cr_expect_str_eq(buffer_text(&out), "test.conf:1 Section [testnot] is not recognized.\n"
                                        "test.conf:2 Section [testnet] is not recognized.\n");
    buffer_clear(&out);
    args_clear(&a);
}

Test(args, configuration_errors)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"garbage\n", "parse error on line 1: garbage"},
        {"a=1\n\nnono\n",
         "parse error on line 3: nono, if you intended to specify a negated option, use nono=1 instead"},
        {"-dash=1\n",
         "parse error on line 1: -dash=1, options in configuration file must be specified without leading -"},
        {"rpcpassword=some#pass",
         "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided"},
        {"a=1\n[main]\nrpcpassword=some#pass",
         "parse error on line 3, using # in rpcpassword can be ambiguous and should be avoided"},
        {"main.rpcpassword=some#pass",
         "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided"},
        {"conf=x\n", "conf cannot be set in the configuration file; use includeconf= if you want to include additional "
                     "config files"},
        {"nostrict=1\n", "Negating of -strict is meaningless and therefore forbidden"},
        {"# only a comment\n\n  \t\r\n[regtest]\r\n a = 1 # more\r\nunknown=3\nrpcpassword=x\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct args a;
        struct buffer error = {0};
        args_init(&a, &table, NULL);
        bool ok = args_read_config_text(&a, "f", cases[i].text, &error);
        cr_expect_eq(ok, cases[i].error == NULL, "%s: %s", cases[i].text, buffer_text(&error));
        cr_expect_str_eq(buffer_text(&error), cases[i].error ? cases[i].error : "");
        if (ok) {
            a.chain = "regtest";
            expect_string(&a, "a", "1");
        }
        buffer_clear(&error);
        args_clear(&a);
    }
}

Test(args, chain)
{
    static const char combination[] =
        "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.";
    static const struct {
        const char *line;
        const char *config;
        const char *chain; /* NULL: error */
        const char *error;
    } cases[] = {
        {"", "", "main", ""},
        {"-regtest", "", "regtest", ""},
        {"-testnet", "", "test", ""},
        {"-testnet4", "", "testnet4", ""},
        {"-signet=1", "", "signet", ""},
        {"-chain=test", "", "test", ""},
        {"-chain=regtest", "", "regtest", ""},
        {"", "regtest=1", "regtest", ""},
        {"", "testnet4=1\n[testnet4]\n", "testnet4", ""},
        {"-noregtest", "regtest=1", "regtest", ""},
        {"-regtest=0", "regtest=1", "main", ""},
        {"-testnet -regtest", "", NULL, combination},
        {"-regtest", "testnet=1", NULL, combination},
        {"-chain=main -signet", "", NULL, combination},
        {"-chain=foo", "", NULL, "Unknown chain foo."},
        /* the last value counts for these, in files too */
        {"", "testnet=1\ntestnet=0\n", "main", ""},
        {"", "testnet=0\ntestnet=1\n", "test", ""},
        /* sections do not select chains */
        {"", "[regtest]\nregtest=1\n", "main", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct args a;
        struct buffer error = {0};
        setup(&a, cases[i].line, cases[i].config);
        bool ok = args_select_chain(&a, &error);
        cr_expect_eq(ok, cases[i].chain != NULL, "%s / %s", cases[i].line, cases[i].config);
        if (ok) cr_expect_str_eq(args_chain(&a)->name, cases[i].chain, "%s / %s", cases[i].line, cases[i].config);
        cr_expect_str_eq(buffer_text(&error), cases[i].error);
        buffer_clear(&error);
        args_clear(&a);
    }
}

Test(args, fallbacks_and_forced_values)
{
    struct args a;
    setup(&a, "-a=user", "");
    cr_expect(args_bool(&a, "flag"));
    cr_expect(!args_bool_or(&a, "flag", false));
    cr_expect_eq(args_int(&a, "number"), 42);
    cr_expect_eq(args_int_or(&a, "number", 7), 7);
    cr_expect(!args_soft_set(&a, "a", "soft"));
    expect_string(&a, "a", "user");
    cr_expect(args_soft_set(&a, "number", "43"));
    cr_expect_eq(args_int(&a, "number"), 43);
    args_force_set(&a, "a", "forced");
    args_force_set(&a, "a", "again");
    expect_string(&a, "a", "again");
    args_clear(&a);
}

Test(args, an_option_without_a_row_stops_the_process, .signal = SIGABRT)
{
    struct args a;
    setup(&a, "", "");
    (void)args_bool(&a, "nosuch");
}

Test(args, an_option_of_another_kind_stops_the_process, .signal = SIGABRT)
{
    struct args a;
    setup(&a, "", "");
    (void)args_bool(&a, "value");
}
