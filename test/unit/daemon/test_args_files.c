/* Settings from real files: includes, directories, settings.json, the texts of errors. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/args.h"
#include "daemon/datadir.h"

struct place {
    char dir[PATH_MAX];
    struct args args;
    struct buffer error;
};

static void put_file(const struct place *p, const char *name, const char *text)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static void place_open(struct place *p)
{
    *p = (struct place){0};
    char name[] = "/tmp/cairn_args_XXXXXX";
    cr_assert_not_null(mkdtemp(name));
    strcpy(p->dir, name);
}

/* Reads with -datadir=DIR and up to two words more. */
static bool load(struct place *p, const char *one, const char *two)
{
    char datadir[PATH_MAX + 16];
    snprintf(datadir, sizeof(datadir), "-datadir=%s", p->dir);
    const char *argv[] = {"cairnd", datadir, one, two};
    args_clear(&p->args);
    args_init(&p->args, &options_daemon, NULL);
    p->error.len = 0;
    cr_assert(args_parse_command_line(&p->args, two ? 4 : one ? 3 : 2, argv, &p->error), "%s", buffer_text(&p->error));
    return args_load(&p->args, &p->error);
}

static void place_close(struct place *p)
{
    char command[PATH_MAX + 16];
    args_clear(&p->args);
    buffer_clear(&p->error);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    cr_assert_eq(system(command), 0);
}

static void expect_error(struct place *p, const char *format, const char *first, const char *second)
{
    char expected[2 * PATH_MAX];
    snprintf(expected, sizeof(expected), format, first, second);
    cr_expect_str_eq(buffer_text(&p->error), expected);
}

static void expect_comments(struct place *p, const char *expected)
{
    size_t count;
    const char **list = args_list(&p->args, "uacomment", &count);
    struct buffer joined = {0};
    for (size_t i = 0; i < count; i++) buffer_printf(&joined, "%s;", list[i]);
    cr_expect_str_eq(buffer_text(&joined), expected);
    buffer_clear(&joined);
    free(list);
}

Test(args_files, includes)
{
    struct place p;
    place_open(&p);
    put_file(&p, "bitcoin.conf",
             "regtest=1\nuacomment=main\nincludeconf=one.conf\nincludeconf=two.conf\n"
             "[regtest]\nincludeconf=three.conf\n");
    put_file(&p, "one.conf", "uacomment=one\n");
    put_file(&p, "two.conf", "uacomment=two\n");
    put_file(&p, "three.conf", "uacomment=three\n");
    cr_assert(load(&p, NULL, NULL), "%s", buffer_text(&p.error));
    expect_comments(&p, "main;three;one;two;");
    cr_assert(load(&p, "-noincludeconf", NULL));
    expect_comments(&p, "main;");
    place_close(&p);
}

Test(args_files, errors)
{
    struct place p;
    char option[PATH_MAX + 32];
    place_open(&p);
    put_file(&p, "bitcoin.conf", "includeconf=nothere.conf\n");
    cr_assert(!load(&p, NULL, NULL));
    expect_error(&p, "Error reading configuration file: Failed to include configuration file nothere.conf", "", "");

    char text[PATH_MAX + 64];
    snprintf(text, sizeof(text), "includeconf=%s\n", p.dir);
    put_file(&p, "bitcoin.conf", text);
    cr_assert(!load(&p, NULL, NULL));
    expect_error(&p, "Error reading configuration file: Included config file \"%s\" is a directory.", p.dir, "");

    snprintf(option, sizeof(option), "-conf=%s/none.conf", p.dir);
    cr_assert(!load(&p, option, NULL));
    expect_error(&p, "Error reading configuration file: specified config file \"%s%s\" could not be opened.", p.dir,
                 "/none.conf");

    snprintf(option, sizeof(option), "-conf=%s", p.dir);
    cr_assert(!load(&p, option, NULL));
    expect_error(&p, "Error reading configuration file: Config file \"%s\" is a directory.", p.dir, "");

    snprintf(option, sizeof(option), "-datadir=%s/gone", p.dir);
    cr_assert(!load(&p, option, NULL));
    expect_error(&p, "Specified data directory \"%s%s\" does not exist.", p.dir, "/gone");

    snprintf(text, sizeof(text), "datadir=%s/gone\n", p.dir);
    put_file(&p, "other.conf", text);
    snprintf(option, sizeof(option), "-conf=%s/other.conf", p.dir);
    const char *argv[] = {"cairnd", option};
    args_clear(&p.args);
    args_init(&p.args, &options_daemon, NULL);
    p.error.len = 0;
    cr_assert(args_parse_command_line(&p.args, 2, argv, &p.error));
    cr_assert(!args_load(&p.args, &p.error));
    expect_error(&p, "Error reading configuration file: specified data directory \"%s%s\" does not exist.", p.dir,
                 "/gone");
    place_close(&p);
}

Test(args_files, a_second_bitcoin_conf_is_not_ignored_silently)
{
    struct place p;
    char option[PATH_MAX + 32];
    place_open(&p);
    put_file(&p, "bitcoin.conf", "");
    put_file(&p, "other.conf", "");
    snprintf(option, sizeof(option), "-conf=%s/other.conf", p.dir);
    cr_expect(!load(&p, option, NULL));
    cr_expect(strstr(buffer_text(&p.error), "contains a \"bitcoin.conf\" file which is ignored, because a different"));
    cr_expect(strstr(buffer_text(&p.error), "from command line argument \"-conf="));
    cr_expect(load(&p, option, "-allowignoredconf"));
    snprintf(option, sizeof(option), "-conf=%s/bitcoin.conf", p.dir);
    cr_expect(load(&p, option, NULL));
    cr_expect(load(&p, "-noconf", NULL));
    cr_expect_null(p.args.config_path);
    place_close(&p);
}

static void expect_path(char *got, const char *dir, const char *rest)
{
    char expected[PATH_MAX + 64];
    snprintf(expected, sizeof(expected), "%s%s", dir, rest);
    cr_assert_not_null(got);
    cr_expect_str_eq(got, expected);
    free(got);
}

Test(args_files, directories)
{
    struct place p;
    char path[PATH_MAX + 64];
    struct stat st;
    place_open(&p);
    cr_assert(load(&p, "-regtest", NULL));
    expect_path(args_chain_dir(&p.args), p.dir, "/regtest");
    expect_path(args_blocks_dir(&p.args), p.dir, "/regtest/blocks");
    expect_path(args_file(&p.args, "pid"), p.dir, "/regtest/bitcoind.pid");
    expect_path(args_file(&p.args, "rpccookiefile"), p.dir, "/regtest/.cookie");
    snprintf(path, sizeof(path), "%s/regtest/wallets", p.dir);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0700);
    cr_expect_eq(rmdir(path), 0);
    cr_assert(load(&p, "-regtest", "-pid=/a/../b//c.pid"));
    cr_expect_neq(stat(path, &st), 0, "made in a new directory only");
    expect_path(args_file(&p.args, "pid"), "", "/b/c.pid");
    cr_assert(load(&p, "-nopid", "-blocksdir=/nowhere/at/all"));
    cr_expect_null(args_file(&p.args, "pid"));
    cr_expect_null(args_blocks_dir(&p.args));
    expect_path(args_chain_dir(&p.args), p.dir, "");
    place_close(&p);
}

Test(args_files, settings_json)
{
    struct place p;
    place_open(&p);
    put_file(&p, "settings.json",
             "{\"_warning_\": \"x\", \"dbcache\": 5, \"txindex\": true, \"server\": false,\n"
             " \"uacomment\": [\"a\", \"b\"], \"unknown\": 1, \"prune\": \"7\"}");
    put_file(&p, "bitcoin.conf", "dbcache=6\npar=3\nuacomment=c\n");
    cr_assert(load(&p, "-prune=8", NULL), "%s", buffer_text(&p.error));
    cr_expect_eq(args_int(&p.args, "dbcache"), 5);
    cr_expect_eq(args_int(&p.args, "par"), 3);
    cr_expect_eq(args_int(&p.args, "prune"), 8);
    cr_expect(args_bool(&p.args, "txindex"));
    cr_expect(!args_bool(&p.args, "server"));
    expect_comments(&p, "a;b;c;");
    cr_assert(load(&p, "-nosettings", NULL));
    cr_expect_eq(args_int(&p.args, "dbcache"), 6);

    put_file(&p, "settings.json", "not json");
    cr_assert(!load(&p, NULL, NULL));
    cr_expect(strstr(buffer_text(&p.error), "Settings file could not be read:\n- Settings file "));
    put_file(&p, "settings.json", "[1]");
    cr_assert(!load(&p, NULL, NULL));
    cr_expect(strstr(buffer_text(&p.error), "Found non-object value"));
    place_close(&p);
}
