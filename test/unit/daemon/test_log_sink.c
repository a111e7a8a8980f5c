/* The log: format of lines, categories, early lines, rotation, shrinking. */
#include <criterion/criterion.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log_sink.h"

static const struct log_source here = {"/somewhere/cairn/src/net/peer.c", "on_message", 12};

Test(log, format)
{
    static const struct {
        bool times, micros, threads, sources, always;
        enum log_level level;
        enum log_category category;
        const char *text;
        const char *line;
    } cases[] = {
        {true, false, false, false, false, LOG_INFO, LOGC_ALL, "hello", "2026-01-31T12:00:01Z hello\n"},
        {true, true, false, false, false, LOG_INFO, LOGC_ALL, "hello", "2026-01-31T12:00:01.000234Z hello\n"},
        {false, false, true, false, false, LOG_INFO, LOGC_ALL, "hello", "[init] hello\n"},
        {false, false, true, true, false, LOG_INFO, LOGC_ALL, "x", "[init] [src/net/peer.c:12] [on_message] x\n"},
        {false, false, false, false, false, LOG_WARNING, LOGC_ALL, "x", "[warning] x\n"},
        {false, false, false, false, false, LOG_ERROR, LOGC_ALL, "x", "[error] x\n"},
        {false, false, false, false, false, LOG_DEBUG, LOGC_NET, "x", "[net] x\n"},
        {false, false, false, false, false, LOG_TRACE, LOGC_VALIDATION, "x", "[validation:trace] x\n"},
        {false, false, false, false, false, LOG_INFO, LOGC_NET, "x", "[net:info] x\n"},
        {false, false, false, false, false, LOG_WARNING, LOGC_NET, "x", "[net:warning] x\n"},
        {false, false, false, false, true, LOG_INFO, LOGC_ALL, "x", "[all:info] x\n"},
        {false, false, false, false, true, LOG_DEBUG, LOGC_NET, "x", "[net:debug] x\n"},
        {false, false, false, false, false, LOG_INFO, LOGC_ALL, "a\x1b[1m\x7f\tb\n", "a\\x1b[1m\\x7f\\x09b\n"},
        {false, false, false, false, false, LOG_INFO, LOGC_ALL, "", "\n"},
        {false, false, false, false, false, LOG_INFO, LOGC_ALL, "\xc3\xa9", "\xc3\xa9\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_sink sink;
        struct buffer out = {0};
        log_sink_init(&sink);
        sink.timestamps = cases[i].times;
        sink.micros = cases[i].micros;
        sink.thread_names = cases[i].threads;
        sink.source_locations = cases[i].sources;
        sink.always_level = cases[i].always;
        struct log_entry entry = {
            INT64_C(1769860801000234), cases[i].level, cases[i].category, &here, "init", cases[i].text};
        log_sink_format(&sink, &entry, &out);
        cr_expect_str_eq(buffer_text(&out), cases[i].line);
        buffer_clear(&out);
        log_sink_clear(&sink);
    }
}

struct place {
    char dir[64];
    char path[96];
    struct args args;
    struct log_sink sink;
    struct buffer text;
};

/* A node's log with the options given, its file open. */
static void place_open(struct place *p, const char *const *options, size_t count)
{
    const char *argv[12] = {"cairnd"};
    char datadir[96];
    *p = (struct place){.dir = "/tmp/cairn_log_XXXXXX"};
    cr_assert_not_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof(p->path), "%s/debug.log", p->dir);
    snprintf(datadir, sizeof(datadir), "-datadir=%s", p->dir);
    argv[1] = datadir;
    argv[2] = "-noprinttoconsole";
    argv[3] = "-nologtimestamps";
    for (size_t i = 0; i < count; i++) argv[4 + i] = options[i];
    log_sink_init(&p->sink);
    args_init(&p->args, &options_daemon, &p->sink.log);
    cr_assert(args_parse_command_line(&p->args, (int)(4 + count), argv, &p->text));
    cr_assert(args_load(&p->args, &p->text), "%s", buffer_text(&p->text));
    log_sink_configure(&p->sink, &p->args);
}

static const char *log_content(struct place *p, const char *path)
{
    p->text.len = 0;
    cr_assert(file_read(path, &p->text));
    return buffer_text(&p->text);
}

static void place_close(struct place *p)
{
    char command[96];
    log_sink_clear(&p->sink);
    args_clear(&p->args);
    buffer_clear(&p->text);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    cr_assert_eq(system(command), 0);
}

Test(log, early_lines_come_first_and_the_file_is_appended_to)
{
    static const char *const options[] = {"-nolisten=0", "-rpcpassword=secret", "-uacomment=x"};
    struct place p;
    place_open(&p, options, ARRAY_LEN(options));
    log_info(&p.sink.log, "early");
    cr_assert(log_sink_open(&p.sink, &p.args, &p.text));
    log_info(&p.sink.log, "late");
    const char *text = log_content(&p, p.path);
    const char *early = strstr(text, "\nearly\n");
    cr_assert_not_null(early);
    cr_expect_not_null(strstr(early, "\nlate\n"));
    cr_expect(!strncmp(text, "\n\n\n\n\n", 5));
    cr_expect_not_null(strstr(text, "\n[warning] Parsed potentially confusing double-negative -listen=0\n"));
    cr_expect_not_null(strstr(text, "\nCommand-line arg: rpcpassword=****\n"));
    cr_expect_not_null(strstr(text, "\nCommand-line arg: uacomment=\"x\"\n"));
    cr_expect_not_null(strstr(text, "\nCommand-line arg: listen=true\n"));
    cr_expect_null(strstr(text, "secret"));
    struct stat st;
    cr_assert_eq(stat(p.path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);

    log_sink_clear(&p.sink);
    log_sink_init(&p.sink);
    log_sink_configure(&p.sink, &p.args);
    cr_assert(log_sink_open(&p.sink, &p.args, &p.text));
    cr_expect_not_null(strstr(log_content(&p, p.path), "\nlate\n"), "appended");
    place_close(&p);
}

Test(log, reopening_follows_a_rotation)
{
    struct place p;
    char moved[128];
    place_open(&p, NULL, 0);
    cr_assert(log_sink_open(&p.sink, &p.args, &p.text));
    snprintf(moved, sizeof(moved), "%s.1", p.path);
    cr_assert_eq(rename(p.path, moved), 0);
    log_info(&p.sink.log, "into the old file");
    log_sink_reopen(&p.sink);
    log_info(&p.sink.log, "into the new file");
    cr_expect_not_null(strstr(log_content(&p, moved), "old file"));
    cr_expect_str_eq(log_content(&p, p.path), "into the new file\n");
    place_close(&p);
}

Test(log, categories)
{
    static const struct {
        const char *options[4];
        bool net, http, trace;
        const char *error;
    } cases[] = {
        {{NULL}, false, false, false, NULL},
        {{"-debug=net"}, true, false, false, NULL},
        {{"-debug"}, true, true, false, NULL},
        {{"-debug=1", "-debugexclude=net"}, false, true, false, NULL},
        {{"-debug=all", "-loglevel=trace"}, true, true, true, NULL},
        {{"-debug=all", "-loglevel=net:trace"}, true, true, true, NULL},
        {{"-debug=all", "-loglevel=http:trace"}, true, true, false, NULL},
        {{"-debug=all", "-loglevel=info"}, false, false, false, NULL},
        {{"-debug=http", "-debug=abc", "-debug=0", "-debug=net"}, true, false, false, NULL},
        {{"-debug=http", "-debug=abc", "-debug=none", "-debug=net"}, true, false, false, NULL},
        {{"-debug=http", "-debug=abc", "-nodebug", "-debug=net"}, true, false, false, NULL},
        {{"-debug=abc"}, false, false, false, "Unsupported logging category -debug=abc."},
        {{"-debugexclude=abc"}, false, false, false, "Unsupported logging category -debugexclude=abc."},
        {{"-loglevel=abc"},
         false,
         false,
         false,
         "Unsupported global logging level -loglevel=abc. Valid values: info, debug, trace."},
        {{"-loglevel=net:abc"},
         false,
         false,
         false,
         "Unsupported category-specific logging level -loglevel=net:abc. Expected"},
        {{"-loglevel=net:info:abc"},
         false,
         false,
         false,
         "Unsupported category-specific logging level -loglevel=net:info:abc. Expected"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct place p;
        size_t count = 0;
        while (count < 4 && cases[i].options[count]) count++;
        place_open(&p, cases[i].options, count);
        bool ok = log_sink_set_categories(&p.sink, &p.args, &p.text);
        cr_expect_eq(ok, cases[i].error == NULL, "case %zu", i);
        if (cases[i].error) {
            cr_expect(!strncmp(buffer_text(&p.text), cases[i].error, strlen(cases[i].error)), "%s",
                      buffer_text(&p.text));
        }
        cr_assert(!ok || log_sink_open(&p.sink, &p.args, &p.text));
        log_debug(&p.sink.log, LOGC_NET, "from net");
        log_debug(&p.sink.log, LOGC_HTTP, "from http");
        log_trace(&p.sink.log, LOGC_NET, "traced");
        if (ok) {
            const char *text = log_content(&p, p.path);
            cr_expect_eq(strstr(text, "\n[net] from net\n") != NULL, cases[i].net, "case %zu", i);
            cr_expect_eq(strstr(text, "\n[http] from http\n") != NULL, cases[i].http, "case %zu", i);
            cr_expect_eq(strstr(text, "\n[net:trace] traced\n") != NULL, cases[i].trace, "case %zu", i);
        }
        place_close(&p);
    }
}

Test(log, a_file_that_cannot_be_opened)
{
    static const char *const options[] = {"-debuglogfile=nodir/foo.log"};
    struct place p;
    place_open(&p, options, 1);
    cr_expect(!log_sink_open(&p.sink, &p.args, &p.text));
    cr_expect(!strncmp(buffer_text(&p.text), "Could not open debug log file /", 31));
    place_close(&p);
}

Test(log, no_file_and_a_device)
{
    static const char *const none[] = {"-nodebuglogfile"};
    static const char *const null[] = {"-debuglogfile=/dev/null"};
    struct place p;
    place_open(&p, none, 1);
    cr_expect(log_sink_open(&p.sink, &p.args, &p.text));
    log_info(&p.sink.log, "x");
    cr_expect_neq(access(p.path, F_OK), 0);
    place_close(&p);
    place_open(&p, null, 1);
    cr_expect(log_sink_open(&p.sink, &p.args, &p.text));
    log_info(&p.sink.log, "x");
    place_close(&p);
}

Test(log, one_place_cannot_fill_the_disk)
{
    static const char *const limited[] = {"-logratelimit"};
    static const char *const unlimited[] = {"-nologratelimit"};
    char *line = malloc(10001);
    memset(line, 'x', 10000);
    line[10000] = '\0';
    for (int round = 0; round < 2; round++) {
        struct place p;
        struct stat st;
        place_open(&p, round ? unlimited : limited, 1);
        cr_assert(log_sink_open(&p.sink, &p.args, &p.text));
        for (int i = 0; i < 300; i++) log_info(&p.sink.log, "%s", line);
        log_info(&p.sink.log, "another place");
        cr_assert_eq(stat(p.path, &st), 0);
        if (round) {
            cr_expect_gt(st.st_size, 3000000);
        } else {
            cr_expect_lt(st.st_size, 1100000);
            cr_expect_not_null(strstr(log_content(&p, p.path), "[warning] Excessive logging detected from "));
        }
        cr_expect_not_null(strstr(log_content(&p, p.path), "another place"));
        place_close(&p);
    }
    free(line);
}

Test(log, shrinking)
{
    char path[] = "/tmp/cairn_shrink_XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "0123456789", 10), 10);
    close(fd);
    struct buffer text = {0};
    cr_expect(log_file_shrink(path, 10, 4));
    cr_assert(file_read(path, &text));
    cr_expect_str_eq(buffer_text(&text), "0123456789");
    text.len = 0;
    cr_expect(log_file_shrink(path, 9, 4));
    cr_assert(file_read(path, &text));
    cr_expect_str_eq(buffer_text(&text), "6789");
    cr_expect(log_file_shrink("/nonexistent/file", 1, 1));
    buffer_clear(&text);
    unlink(path);
}

static void *write_lines(void *arg)
{
    pthread_setname_np(pthread_self(), "writer");
    for (int i = 0; i < 500; i++) log_info(arg, "line %d of a thread", i);
    return NULL;
}

Test(log, threads_do_not_mix_lines)
{
    static const char *const options[] = {"-logthreadnames", "-nologratelimit"};
    struct place p;
    pthread_t threads[4];
    place_open(&p, options, 2);
    cr_assert(log_sink_open(&p.sink, &p.args, &p.text));
    for (int i = 0; i < 4; i++) cr_assert_eq(pthread_create(&threads[i], NULL, write_lines, &p.sink.log), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    int found = 0;
    int number;
    int end;
    const char *text = log_content(&p, p.path);
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at ? 1 : 0) {
        if (sscanf(at, "[writer] line %d of a thread%n", &number, &end) == 1 && at[end] == '\n') found++;
    }
    cr_expect_eq(found, 2000);
    place_close(&p);
}
