/* cairn-lab run, list, show, lesson, check, and the page: what has to do with scenarios. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "lab/cli.h"
#include "lab/cli_numbers.h"
#include "lab/figures.h"
#include "lab/play.h"
#include "lab/report.h"
#include "lab/web.h"
#include "lab/words.h"
#include "rpc/json_writer.h"

/* ---- finding a scenario, and what the command line changes of it ---- */

/* 0, or an exit status. */
static int load_library(struct lab_library *l)
{
    char folder[4096];
    struct error e = {0};
    memset(l, 0, sizeof(*l));
    if (!lab_library_folder(folder, sizeof(folder))) {
        fprintf(stderr, "cairn-lab: the folder of scenarios is nowhere: say where with CAIRN_LAB_DIR\n");
        return 1;
    }
    if (lab_library_load(l, folder, &e)) {
        fprintf(stderr, "cairn-lab: %s\n", e.text);
        return 1;
    }
    return 0;
}

/* By its name in the library, or by its path. */
static int find_scenario(struct lab_scenario *out, const struct lab_library *l, const char *name)
{
    struct error e = {0};
    size_t len = strlen(name);
    if (strchr(name, '/') || (len > 4 && strcmp(name + len - 4, ".lab") == 0)) {
        if (lab_scenario_load(out, name, &e) == RESULT_OK) return 0;
        lab_scenario_clear(out);
        fprintf(stderr, "cairn-lab: %s\n", e.text);
        return 2;
    }
    const struct lab_scenario *s = lab_library_find(l, name);
    if (!s) {
        fprintf(stderr, "cairn-lab: there is no command and no scenario %s; cairn-lab list names them\n", name);
        return 2;
    }
    *out = lab_scenario_copy(s);
    return 0;
}

static int apply_options(struct lab_scenario *s, struct lab_cli_args *a, const char *command)
{
    const char *text;
    struct error e = {0};
    if (lab_cli_take(a, "--seed", &text) && lab_setup_set(&s->setup, span_str("seed"), span_str(text), &e))
        return lab_cli_wrong(command, e.text);
    while (lab_cli_take(a, "--set", &text)) {
        const char *equals = strchr(text, '=');
        if (!equals) return lab_cli_wrong(command, "--set wants NAME=VALUE");
        if (lab_setup_set(&s->setup, span_of(text, (size_t)(equals - text)), span_str(equals + 1), &e))
            return lab_cli_wrong(command, e.text);
    }
    return lab_setup_check(&s->setup, &e) ? lab_cli_wrong(command, e.text) : 0;
}

/* "cairn-lab run NAME --seed S --set ...": the run again. */
static void replay_line(struct buffer *out, const char *name, const struct lab_scenario *s,
                        const struct lab_setup *file)
{
    struct buffer lines = {0};
    buffer_printf(out, "cairn-lab run %s --seed %" PRIu64, name, s->setup.seed);
    lab_setup_write(&lines, &s->setup, file);
    struct span rest = buffer_span(&lines);
    while (rest.len) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len), *equals = memchr(rest.data, '=', rest.len);
        struct span key = lab_trim(span_of(rest.data, (size_t)(equals - rest.data)));
        struct span value = lab_trim(span_of(equals + 1, (size_t)(end - equals - 1)));
        rest = span_from(rest, (size_t)(end - rest.data) + 1);
        if (lab_word_is(key, "seed")) continue;
        buffer_put_str(out, " --set ");
        buffer_put_span(out, key);
        buffer_put_str(out, "=");
        buffer_put_span(out, value);
    }
    buffer_clear(&lines);
}

/* ---- run ---- */

struct runner {
    struct lab_scenario scenario;
    struct lab_play *play;
    bool json, hashes, quiet;
    int64_t until_us;
    uint64_t trials; /* for the report */
    size_t told;
    uint8_t hash[32];
    const char **names;
    size_t name_count, name_cap;
    char outcome[LAB_TEXT];
};

static void tell_event(struct runner *r, const struct lab_event *e)
{
    struct buffer line = {0};
    char hash[65];
    if (e->kind == LAB_EVENT_NODE && e->node < lab_world_node_count(lab_play_world(r->play))) {
        r->names = mem_grow(r->names, &r->name_cap, (size_t)e->node + 1, sizeof(*r->names));
        while (r->name_count <= e->node) r->names[r->name_count++] = "?";
        r->names[e->node] = lab_world_node_name(lab_play_world(r->play), e->node);
    }
    if (e->kind == LAB_EVENT_END) memcpy(r->outcome, e->text, sizeof(r->outcome));
    if (r->quiet) return;
    if (r->json)
        lab_event_json(&line, e);
    else
        lab_event_plain(&line, e, r->names, r->name_count);
    printf("%s\n", buffer_text(&line));
    buffer_clear(&line);
    if (!r->hashes) return;
    lab_event_chain(r->hash, e);
    hex_encode(hash, r->hash, 32);
    printf(r->json ? "{\"e\":\"hash\",\"seq\":%" PRIu64 ",\"hash\":\"%s\"}\n" : "%6" PRIu64 " %s\n", e->seq, hash);
}

static void tell_new(struct runner *r)
{
    size_t count;
    const struct lab_event *events = lab_world_events(lab_play_world(r->play), &count);
    while (r->told < count) tell_event(r, &events[r->told++]);
    fflush(stdout);
}

static void play_to_the_end(struct runner *r)
{
    enum { AT_ONCE_MS = 50 };
    r->play = lab_play_new(&r->scenario);
    tell_new(r);
    bool more = true;
    while (more && lab_world_now_us(lab_play_world(r->play)) < r->until_us) {
        more = lab_play_run(r->play, r->until_us, AT_ONCE_MS);
        tell_new(r);
    }
}

static void free_runner(struct runner *r)
{
    lab_play_free(r->play);
    lab_scenario_clear(&r->scenario);
    free(r->names);
}

/* NULL: all is well. */
static const char *fault(const struct runner *r)
{
    const char *failure = lab_world_failure(lab_play_world(r->play));
    return failure ? failure : lab_play_refused(r->play);
}

static void log_hash(const struct runner *r, char out[65])
{
    uint8_t hash[32];
    lab_world_log_hash(lab_play_world(r->play), hash);
    hex_encode(out, hash, 32);
}

static void summary_json(const struct runner *r, const char *replay)
{
    struct buffer out = {0};
    struct json_writer w = json_writer_of(&out);
    char hash[65], seed[24];
    log_hash(r, hash);
    snprintf(seed, sizeof(seed), "%" PRIu64, r->scenario.setup.seed);
    jw_object(&w);
    jw_kv_str(&w, "e", "summary");
    jw_kv_str(&w, "scenario", r->scenario.name);
    jw_kv_str(&w, "seed", seed);
    jw_kv_int(&w, "t", lab_world_now_us(lab_play_world(r->play)));
    jw_kv_uint(&w, "events", r->told);
    jw_kv_uint(&w, "steps", lab_world_steps(lab_play_world(r->play)));
    jw_kv_str(&w, "outcome", r->outcome);
    jw_key(&w, "failure");
    fault(r) ? jw_str(&w, fault(r)) : jw_null(&w);
    jw_kv_str(&w, "log", hash);
    jw_kv_str(&w, "replay", replay);
    jw_object_end(&w);
    printf("%s\n", buffer_text(&out));
    buffer_clear(&out);
}

static void summary_plain(const struct runner *r, const char *replay)
{
    char hash[65];
    log_hash(r, hash);
    printf("\noutcome: %s\nevents: %zu\nlog: %s\n", r->outcome[0] ? r->outcome : "not at its end", r->told, hash);
    if (fault(r)) printf("wrong: %s\n", fault(r));
    printf("again: %s\n", replay);
}

/* Attempts with the scenario's settings on whole nodes, whose share of thefts goes into the report. False: none were
 * asked for, or these settings have no theft to try. */
static bool run_trials(const struct runner *r, struct lab_trials_result *out)
{
    struct lab_trials t = {.setup = r->scenario.setup, .count = r->trials, .jobs = lab_cli_processors()};
    if (!r->trials || t.setup.strategy != LAB_STRATEGY_DOUBLE) return false;
    t.setup.seed = 1;
    lab_trials_run(&t, out);
    if (out->broken) fprintf(stderr, "cairn-lab: %s\n", out->why);
    return !out->broken;
}

static int write_report(const struct runner *r, const char *path, const char *replay)
{
    struct buffer html = {0};
    struct lab_trials_result trials = {0};
    struct lab_report report = {
        .scenario = &r->scenario, .names = r->names, .name_count = r->name_count, .replay = replay};
    if (run_trials(r, &trials)) report.trials = &trials;
    report.events = lab_world_events(lab_play_world(r->play), &report.event_count);
    lab_world_log_hash(lab_play_world(r->play), report.log_hash);
    lab_report_html(&html, &report);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(html.data, 1, html.len, f) == html.len;
    if (f && fclose(f) != 0) ok = false;
    if (!ok) fprintf(stderr, "cairn-lab: cannot write %s\n", path);
    buffer_clear(&html);
    buffer_clear(&trials.gaps);
    return ok && !trials.broken ? 0 : 1;
}

int lab_cli_run(struct lab_cli_args *a)
{
    struct lab_library library;
    struct runner r = {.until_us = INT64_MAX};
    const char *text, *report = NULL, *name = lab_cli_next(a);
    struct buffer replay = {0};
    if (!name) return lab_cli_wrong("run", "which scenario? cairn-lab list names them");
    r.json = lab_cli_take(a, "--json", &text);
    (void)lab_cli_take(a, "--plain", &text);
    r.hashes = lab_cli_take(a, "--trace-hash", &text);
    (void)lab_cli_take(a, "--report", &report);
    if (!numbers_take(a, "--trials", 0, 1000000, &r.trials) || (r.trials && !report))
        return lab_cli_wrong("run", "--trials wants a number, and a --report to go into");
    if (lab_cli_take(a, "--until", &text) && !lab_parse_time(span_str(text), &r.until_us))
        return lab_cli_wrong("run", "--until wants a time: 90s, 10m, 2h, 1d");
    int status = load_library(&library);
    if (!status) status = find_scenario(&r.scenario, &library, name);
    struct lab_setup file = r.scenario.setup;
    if (!status) status = apply_options(&r.scenario, a, "run");
    if (!status && !lab_cli_done("run", a)) status = 2;
    if (!status) {
        play_to_the_end(&r);
        replay_line(&replay, name, &r.scenario, &file);
        r.json ? summary_json(&r, buffer_text(&replay)) : summary_plain(&r, buffer_text(&replay));
        if (report) status = write_report(&r, report, buffer_text(&replay));
        if (fault(&r)) status = 1;
    }
    free_runner(&r);
    lab_library_clear(&library);
    buffer_clear(&replay);
    return status;
}

/* ---- list, show ---- */

static void list_json(const struct lab_scenario *s, bool last)
{
    struct buffer out = {0};
    struct json_writer w = json_writer_of(&out);
    jw_object(&w);
    jw_kv_str(&w, "name", s->name);
    jw_kv_str(&w, "title", s->title);
    jw_kv_str(&w, "about", s->about);
    jw_kv_str(&w, "question", s->question);
    jw_kv_str(&w, "expect", s->expect);
    jw_object_end(&w);
    printf("%s%s\n", buffer_text(&out), last ? "" : ",");
    buffer_clear(&out);
}

int lab_cli_list(struct lab_cli_args *a)
{
    struct lab_library l;
    const char *flag;
    bool json = lab_cli_take(a, "--json", &flag), names = lab_cli_take(a, "--names", &flag);
    if (!lab_cli_done("list", a)) return 2;
    int status = load_library(&l);
    if (json && !status) printf("[\n");
    for (size_t i = 0; i < l.count && !status; i++) {
        if (json)
            list_json(&l.items[i], i + 1 == l.count);
        else if (names)
            printf("%s\n", l.items[i].name);
        else
            printf("%-22s %s\n", l.items[i].name, l.items[i].title);
    }
    if (json && !status) printf("]\n");
    lab_library_clear(&l);
    return status;
}

int lab_cli_show(struct lab_cli_args *a)
{
    struct lab_library l;
    struct lab_scenario s = {0};
    struct buffer out = {0};
    const char *name = lab_cli_next(a);
    if (!name) return lab_cli_wrong("show", "which scenario? cairn-lab list names them");
    int status = load_library(&l);
    if (!status) status = find_scenario(&s, &l, name);
    if (!status) status = apply_options(&s, a, "show");
    if (!status && !lab_cli_done("show", a)) status = 2;
    if (!status) {
        lab_scenario_write(&out, &s);
        printf("%s", buffer_text(&out));
    }
    buffer_clear(&out);
    lab_scenario_clear(&s);
    lab_library_clear(&l);
    return status;
}

/* ---- lesson, check ---- */

/* Faults of a run against its file; each is printed behind WHERE. With TELL, what is right is, too. */
static unsigned compare(const struct runner *r, const char *where, bool tell)
{
    unsigned off = 0;
    size_t count;
    const struct lab_scenario *s = &r->scenario;
    const struct lab_event *events = lab_world_events(lab_play_world(r->play), &count);
    if (fault(r)) printf("%s: %s\n", where, fault(r)), off++;
    if (s->expect[0]) {
        bool same = strcmp(s->expect, r->outcome) == 0;
        if (tell || !same) printf("%s: outcome: %s, expected %s\n", where, r->outcome, s->expect);
        off += !same;
    }
    for (size_t i = 0; i < s->figure_count; i++) {
        struct buffer value = {0};
        bool known = lab_figure_measure(&value, span_str(s->figures[i].name), &s->setup, events, count);
        bool same = known && strcmp(buffer_text(&value), s->figures[i].value) == 0;
        if (tell || !same)
            printf("%s: %s: %s, expected %s\n", where, s->figures[i].name, buffer_text(&value), s->figures[i].value);
        off += !same;
        buffer_clear(&value);
    }
    return off;
}

static int lesson_plain(const struct lab_scenario *s)
{
    struct runner r = {.until_us = INT64_MAX, .scenario = lab_scenario_copy(s)};
    printf("%s\n\n%s\n\nQuestion: %s\n\n", s->title, s->about, s->question);
    play_to_the_end(&r);
    printf("\n");
    unsigned off = compare(&r, "measured", true);
    printf("\nAnswer: %s\n", s->answer);
    free_runner(&r);
    return off ? 1 : 0;
}

static int open_page(struct lab_cli_args *a, const struct lab_library *l, const struct lab_scenario *first,
                     const char *command);

int lab_cli_lesson(struct lab_cli_args *a)
{
    struct lab_library l;
    char name[LAB_NAME];
    const char *flag, *number = lab_cli_next(a);
    if (!number || strlen(number) > 20) return lab_cli_wrong("lesson", "which one? 1 to 8");
    snprintf(name, sizeof(name), strncmp(number, "lesson-", 7) == 0 ? "%s" : "lesson-%s", number);
    bool plain = lab_cli_take(a, "--plain", &flag);
    int status = load_library(&l);
    const struct lab_scenario *s = status ? NULL : lab_library_find(&l, name);
    if (!status && !s) status = lab_cli_wrong("lesson", "there is no such lesson: 1 to 8");
    if (s && plain) status = lab_cli_done("lesson", a) ? lesson_plain(s) : 2;
    if (s && !plain) status = open_page(a, &l, s, "lesson");
    lab_library_clear(&l);
    return status;
}

static bool check_one(const struct lab_scenario *s)
{
    struct runner r = {.until_us = INT64_MAX, .quiet = true, .scenario = lab_scenario_copy(s)};
    play_to_the_end(&r);
    bool ok = compare(&r, s->name, false) == 0;
    if (ok) printf("ok: %s\n", s->name);
    fflush(stdout);
    free_runner(&r);
    return ok;
}

int lab_cli_check(struct lab_cli_args *a)
{
    struct lab_library l;
    unsigned passed = 0, failed = 0;
    const char *name;
    int status = load_library(&l);
    bool all = true;
    while (!status && (name = lab_cli_next(a))) {
        struct lab_scenario s = {0};
        all = false;
        status = find_scenario(&s, &l, name);
        if (!status) *(check_one(&s) ? &passed : &failed) += 1;
        lab_scenario_clear(&s);
    }
    if (!status && !lab_cli_done("check", a)) status = 2;
    for (size_t i = 0; all && !status && i < l.count; i++) *(check_one(&l.items[i]) ? &passed : &failed) += 1;
    if (!status) printf("%u passed, %u failed\n", passed, failed);
    lab_library_clear(&l);
    return status ? status : failed ? 1 : 0;
}

/* ---- the page ---- */

static bool take_number(struct lab_cli_args *a, const char *name, uint64_t max, uint64_t *out)
{
    const char *text;
    return !lab_cli_take(a, name, &text) || (lab_parse_number(span_str(text), out) && *out <= max);
}

static void show_in_browser(const char *url)
{
    pid_t pid = fork();
    if (pid != 0) return;
    execlp("xdg-open", "xdg-open", url, (char *)NULL);
    _exit(127);
}

static int open_page(struct lab_cli_args *a, const struct lab_library *l, const struct lab_scenario *first,
                     const char *command)
{
    uint64_t port = 0, jobs = lab_cli_processors();
    const char *address = "127.0.0.1", *flag;
    struct lab_web *web = NULL;
    struct error e = {0};
    if (!take_number(a, "--port", UINT16_MAX, &port)) return lab_cli_wrong(command, "--port wants a port");
    if (!take_number(a, "--jobs", 256, &jobs) || !jobs) return lab_cli_wrong(command, "--jobs wants 1 to 256");
    (void)lab_cli_take(a, "--address", &address);
    bool open = lab_cli_take(a, "--open", &flag), play = lab_cli_take(a, "--play", &flag);
    if (!lab_cli_done(command, a)) return 2;
    struct lab_source source = lab_play_source_new();
    struct lab_web_options options = {.address = address,
                                      .port = (uint16_t)port,
                                      .source = source,
                                      .library = l,
                                      .first = first,
                                      .autoplay = play,
                                      .jobs = (unsigned)jobs};
    int status = 0;
    if (lab_web_new(&web, &options, &e)) {
        fprintf(stderr, "cairn-lab: %s\n", e.text);
        status = 1;
    } else {
        char url[300];
        bool v6 = strchr(address, ':') != NULL;
        snprintf(url, sizeof(url), "http://%s%.200s%s:%u/", v6 ? "[" : "", address, v6 ? "]" : "", lab_web_port(web));
        printf("%s\n", url);
        fflush(stdout);
        if (open) show_in_browser(url);
        lab_web_run(web);
        lab_web_free(web);
    }
    lab_play_source_free(&source);
    return status;
}

int lab_cli_page(struct lab_cli_args *a)
{
    struct lab_library l;
    struct lab_scenario s = {0};
    const char *name = lab_cli_next(a);
    int status = load_library(&l);
    bool seeded = false;
    for (int i = 0; i < a->argc; i++) seeded |= !strncmp(a->argv[i], "--seed", 6) || !strncmp(a->argv[i], "--set", 5);
    if (!name && (seeded || lab_library_find(&l, "double-spend"))) name = "double-spend";
    if (!status && name) status = find_scenario(&s, &l, name);
    if (!status && name) status = apply_options(&s, a, "page");
    if (!status) status = open_page(a, &l, name ? &s : NULL, "page");
    lab_scenario_clear(&s);
    lab_library_clear(&l);
    return status;
}
