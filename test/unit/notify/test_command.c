/* Command hooks. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "notify/command.h"

Test(command, filling)
{
    static const struct {
        const char *template;
        const char *value;
        const char *plain;
        const char *quoted;
    } cases[] = {
        {"echo %s", "ab", "echo ab", "echo 'ab'"},
        {"%s%s x %d", "1", "11 x %d", "'1''1' x %d"},
        {"none", "1", "none", "none"},
        {"", "1", "", ""},
        {"a %s", "'; rm -rf \"$HOME\" `x` \\ %s\n", "a '; rm -rf \"$HOME\" `x` \\ %s\n", "a '; rm -rf HOME x  s'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer out = {0};
        command_fill(&out, cases[i].template, cases[i].value);
        cr_expect_str_eq(buffer_text(&out), cases[i].plain);
        out.len = 0;
        command_fill_quoted(&out, cases[i].template, cases[i].value);
        cr_expect_str_eq(buffer_text(&out), cases[i].quoted);
        buffer_clear(&out);
    }
}

struct place {
    char dir[40];
    char lines[512]; /* what the log heard */
    struct log log;
};

static void hear(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                 const char *text)
{
    struct place *p = ctx;
    (void)category;
    (void)source;
    cr_expect_eq(level, LOG_WARNING);
    strncat(p->lines, text, sizeof(p->lines) - strlen(p->lines) - 1);
}

static void place_open(struct place *p)
{
    *p = (struct place){.dir = "/tmp/cairn_notify_XXXXXX"};
    cr_assert_not_null(mkdtemp(p->dir));
    p->log = (struct log){.write = hear, .ctx = p};
}

static void place_close(struct place *p)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    cr_assert_eq(system(command), 0);
}

Test(command, a_block_notification_runs)
{
    struct place p;
    char template[96];
    char path[96];
    place_open(&p);
    struct command_runner *r = command_runner_new(&p.log);
    snprintf(template, sizeof(template), "echo > %s/%%s", p.dir);
    notify_block(r, template, "00ff");
    notify_block(r, NULL, "00fe");
    notify_block(r, "", "00fd");
    command_runner_wait(r);
    snprintf(path, sizeof(path), "%s/00ff", p.dir);
    cr_expect_eq(access(path, F_OK), 0);
    cr_expect_str_eq(p.lines, "");
    notify_alert(r, "exit 3 # %s", "bad; things");
    command_runner_wait(r);
    cr_expect_str_eq(p.lines, "runCommand error: system(exit 3 # 'bad; things') returned 768");
    command_runner_free(r);
    place_close(&p);
}

static double elapsed(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

Test(command, nobody_waits_except_at_shutdown)
{
    struct place p;
    struct timespec start;
    place_open(&p);
    struct command_runner *r = command_runner_new(&p.log);
    clock_gettime(CLOCK_MONOTONIC, &start);
    command_run(r, "sleep 0.5");
    cr_expect_lt(elapsed(&start), 0.4);
    static const char *const both[] = {"sleep 0.7", "", "sleep 0.7"};
    command_run_all(r, both, 3);
    double took = elapsed(&start);
    cr_expect(took > 0.69 && took < 1.3, "%f", took);
    command_run(r, "sleep 0.2");
    command_runner_free(r);
    usleep(400000); /* the command outlives its runner and frees it */
    cr_expect_str_eq(p.lines, "");
    place_close(&p);
}

Test(command, a_command_has_normal_signals_and_none_of_our_files)
{
    struct place p;
    char command[160];
    place_open(&p);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    signal(SIGPIPE, SIG_IGN);
    int copy = dup2(1, 77);
    struct command_runner *r = command_runner_new(&p.log);
    snprintf(command, sizeof(command),
             "grep -q '^SigBlk:\\s*0*$' /proc/self/status && grep -q '^SigIgn:\\s*[0-9a-f]*0...$' /proc/self/status && "
             "test ! -e /proc/self/fd/77");
    command_run(r, command);
    command_runner_wait(r);
    cr_expect_str_eq(p.lines, "");
    command_runner_free(r);
    close(copy);
    place_close(&p);
}
