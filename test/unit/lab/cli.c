/* The commands of cairn-lab that deal in scenarios, and how arguments are taken. */
#include "lab/cli.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

enum { ARGUMENTS = 16, TEXT = 1 << 20 };

static char text[TEXT];

static struct lab_cli_args split(char *line, char *argv[ARGUMENTS + 1])
{
    struct lab_cli_args a = {.argv = argv};
    for (char *word = strtok(line, " "); word && a.argc < ARGUMENTS; word = strtok(NULL, " ")) argv[a.argc++] = word;
    return a;
}

/* What cairn-lab prints for LINE is in TEXT; its complaints go nowhere. */
static int run(const char *line)
{
    char copy[512], *argv[ARGUMENTS + 2] = {"cairn-lab"};
    snprintf(copy, sizeof(copy), "%s", line);
    struct lab_cli_args a = split(copy, argv + 1);
    FILE *f = tmpfile(), *nowhere = fopen("/dev/null", "w");
    CHECK(f && nowhere);
    fflush(stdout);
    int out = dup(1), err = dup(2);
    CHECK(dup2(fileno(f), 1) == 1 && dup2(fileno(nowhere), 2) == 2);
    int status = lab_main(a.argc + 1, argv, "1.2.3");
    fflush(stdout);
    CHECK(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    close(out);
    close(err);
    rewind(f);
    text[fread(text, 1, TEXT - 1, f)] = 0;
    fclose(f);
    fclose(nowhere);
    return status;
}

static bool has(const char *part)
{
    return strstr(text, part) != NULL;
}

Test(lab_cli, takes_options_in_both_forms)
{
    char line[] = "one --seed 5 --json two --set=a=b --seed=7 -x", *argv[ARGUMENTS + 1];
    struct lab_cli_args a = split(line, argv);
    const char *value;
    cr_assert_str_eq(lab_cli_next(&a), "one");
    cr_assert_str_eq(lab_cli_next(&a), "two");
    cr_assert(lab_cli_take(&a, "--seed", &value));
    cr_assert_str_eq(value, "5");
    cr_assert(lab_cli_take(&a, "--set", &value));
    cr_assert_str_eq(value, "a=b");
    cr_assert(lab_cli_take(&a, "--json", &value));
    cr_assert_null(value);
    cr_assert_not(lab_cli_take(&a, "--json", &value));
    cr_assert(lab_cli_take(&a, "--seed", &value));
    cr_assert_str_eq(value, "7");
    cr_assert_null(lab_cli_next(&a));
    cr_assert_eq(a.argc, 1);
}

Test(lab_cli, a_value_is_no_argument_and_may_be_missing)
{
    char line[] = "--seed 5 name --set", *argv[ARGUMENTS + 1];
    struct lab_cli_args a = split(line, argv);
    const char *value;
    cr_assert_str_eq(lab_cli_next(&a), "name");
    cr_assert(lab_cli_take(&a, "--set", &value));
    cr_assert_str_eq(value, "");
}

Test(lab_cli, explains_itself)
{
    cr_assert_eq(run("--help"), 0);
    cr_assert(has("run SCENARIO") && has("reorg-alarm") && has("invalidate"));
    cr_assert_eq(run("run --help"), 0);
    cr_assert(has("--until TIME"));
    cr_assert_eq(run("--version"), 0);
    cr_assert_str_eq(text, "cairn-lab 1.2.3\n");
    cr_assert_eq(run("-gen=man"), 0);
    cr_assert(has(".TH CAIRN\\-LAB 1"));
    cr_assert_eq(run("-gen=completion"), 0);
    cr_assert(has("complete -F _cairn_lab cairn-lab"));
    cr_assert_eq(run("-gen=else"), 2);
}

Test(lab_cli, names_and_shows_scenarios)
{
    cr_assert_eq(run("list"), 0);
    cr_assert(has("double-spend") && has("lesson-8"));
    cr_assert_eq(run("list --json"), 0);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_geq(json_array_size(json), 20);
    json_decref(json);
    cr_assert_eq(run("show double-spend --set q=45% --seed 9"), 0);
    cr_assert(has("q = 45%\n") && has("seed = 9\n") && has("on stolen: say"));
}

Test(lab_cli, refuses_what_makes_no_sense)
{
    static const char *const wrong[] = {"fly",
                                        "run",
                                        "run no-such",
                                        "run double-spend --what",
                                        "run double-spend --set q",
                                        "run double-spend --set q=x",
                                        "run double-spend --until soon",
                                        "run double-spend --json=1",
                                        "lesson",
                                        "lesson 99",
                                        "lesson 1 --plain --what",
                                        "check --what",
                                        "check no-such",
                                        "list x",
                                        "show",
                                        "double-spend --port x",
                                        "double-spend --what",
                                        "run double-spend --seed"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) cr_assert_eq(run(wrong[i]), 2, "%s", wrong[i]);
}

Test(lab_cli, prints_one_object_a_line_and_a_summary)
{
    cr_assert_eq(run("run lesson-4 --json --trace-hash --set patience=9"), 0);
    char last[80] = "", kind[16] = "";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *json = json_loads(line, 0, NULL);
        cr_assert_not_null(json, "%s", line);
        snprintf(kind, sizeof(kind), "%s", json_string_value(json_object_get(json, "e")));
        if (!strcmp(kind, "hash")) snprintf(last, sizeof(last), "%s", json_string_value(json_object_get(json, "hash")));
        if (!strcmp(kind, "summary")) {
            cr_assert_str_eq(json_string_value(json_object_get(json, "log")), last);
            cr_assert_str_eq(json_string_value(json_object_get(json, "outcome")), "stolen");
            cr_assert_str_eq(json_string_value(json_object_get(json, "replay")),
                             "cairn-lab run lesson-4 --seed 27 --set patience=9");
        }
        json_decref(json);
    }
    cr_assert_str_eq(kind, "summary");
}

Test(lab_cli, tells_a_lesson_and_checks_it)
{
    cr_assert_eq(run("lesson 4 --plain"), 0);
    cr_assert(has("Question: ") && has("Answer: ") && has("deepest-reorganisation: 6, expected 6"));
    cr_assert_eq(run("check lesson-3 lesson-4"), 0);
    cr_assert(has("ok: lesson-3\nok: lesson-4\n2 passed, 0 failed\n"), "%s", text);
}

Test(lab_cli, says_what_was_not_as_expected)
{
    char path[] = "/tmp/lab_cli_XXXXXX.lab", line[64];
    int fd = mkstemps(path, 4);
    cr_assert_geq(fd, 0);
    static const char file[] = "title = T\nexpect = stolen\n[figures]\nblocks = 1000\n[story]\nat 1h: end\n";
    cr_assert_eq(write(fd, file, sizeof(file) - 1), (ssize_t)sizeof(file) - 1);
    close(fd);
    snprintf(line, sizeof(line), "check %s", path);
    cr_assert_eq(run(line), 1);
    unlink(path);
    cr_assert(has("outcome: end, expected stolen") && has(", expected 1000\n") && has("0 passed, 1 failed"), "%s",
              text);
}

Test(lab_cli, stops_in_time_and_writes_a_report)
{
    char path[] = "/tmp/lab_cli_XXXXXX.html", line[128], head[16] = "";
    int fd = mkstemps(path, 5);
    cr_assert_geq(fd, 0);
    snprintf(line, sizeof(line), "run lesson-4 --until 40m --report %s", path);
    cr_assert_eq(run(line), 0);
    cr_assert(has("outcome: not at its end") && has("again: cairn-lab run lesson-4 --seed 27\n"));
    cr_assert_eq(read(fd, head, 9), 9);
    cr_assert(strncasecmp(head, "<!doctype", 9) == 0, "%s", head);
    close(fd);
    unlink(path);
}
