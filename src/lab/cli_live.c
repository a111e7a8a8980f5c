/* cairn-lab live: a laboratory of processes, told on a terminal, as JSON or as a page. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/process.h"
#include "lab/cli.h"
#include "lab/live.h"
#include "lab/web.h"
#include "lab/words.h"

enum { TURN_MS = 50, LINE_MAX_BYTES = 1024, SETTINGS_MAX = 64, PLAYGROUND_Q_PPM = 300000 };

struct live_cli {
    struct lab_live_options options;
    struct lab_library library;
    struct lab_scenario loaded; /* from a file of the user's */
    bool has_loaded;
    struct lab_scenario scenario;
    bool json, page;
    uint16_t page_port;
    char cairnd[4096], miner[4096];
    struct signals signals;
    bool stopped;
    struct buffer typed; /* on standard input, up to the end of a line */
    bool input_over;
    const char **names;
    size_t name_count, printed;
};

static bool is_stopped(void *arg)
{
    struct live_cli *c = arg;
    if (!c->stopped && signals_take(&c->signals) != SIGNAL_NONE) c->stopped = true;
    return c->stopped;
}

/* ---- arguments ---- */

static bool take_port(struct lab_cli_args *a, const char *name, uint16_t *out)
{
    const char *value;
    uint64_t number;
    if (!lab_cli_take(a, name, &value)) return true;
    if (!value || !lab_parse_number(span_str(value), &number) || number > UINT16_MAX) return false;
    *out = (uint16_t)number;
    return true;
}

/* The program NAME beside this one, else the one that the shell would find. */
static bool find_program(char *out, size_t size, const char *name, const char *given)
{
    if (given) return snprintf(out, size, "%s", given) < (int)size && access(out, X_OK) == 0;
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(out, '/');
    size_t left = slash ? size - (size_t)(slash + 1 - out) : 0;
    if (slash && snprintf(slash + 1, left, "%s", name) < (int)left && access(out, X_OK) == 0) return true;
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        if (len && snprintf(out, size, "%.*s/%s", (int)len, path, name) < (int)size && access(out, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

/* Without a name: a network with an attacker of 30% who waits for an order. */
static bool choose_scenario(struct live_cli *c, const char *name, struct error *e)
{
    char folder[4096];
    size_t len = name ? strlen(name) : 0;
    bool path = name && (strchr(name, '/') || (len > 4 && !strcmp(name + len - 4, ".lab")));
    if (path) {
        c->has_loaded = true;
        if (lab_scenario_load(&c->loaded, name, e) != RESULT_OK) return false;
        c->scenario = c->loaded;
        return true;
    }
    bool library = lab_library_folder(folder, sizeof(folder));
    if (library && lab_library_load(&c->library, folder, e) != RESULT_OK) return false;
    const struct lab_scenario *found = name && library ? lab_library_find(&c->library, name) : NULL;
    if (name && !library)
        error_set(e, RESULT_NOT_FOUND, "there is no folder of scenarios (CAIRN_LAB_DIR names one)");
    else if (name && !found)
        error_set(e, RESULT_NOT_FOUND, "there is no scenario %.100s; cairn-lab list names them", name);
    if (name && !found) return false;
    if (found) {
        c->scenario = *found;
        return true;
    }
    c->scenario.setup = lab_setup_default();
    c->scenario.setup.q_ppm = PLAYGROUND_Q_PPM;
    snprintf(c->scenario.name, sizeof(c->scenario.name), "live");
    snprintf(c->scenario.title, sizeof(c->scenario.title), "Live");
    snprintf(c->scenario.about, sizeof(c->scenario.about), "Processes on this machine. Everything waits for an order.");
    return true;
}

static bool set_all(struct live_cli *c, const char *const *settings, size_t count, struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(settings[i], '=');
        if (!equals) return error_set(e, RESULT_INVALID, "--set %s: want NAME=VALUE", settings[i]), false;
        struct span name = lab_trim(span_of(settings[i], (size_t)(equals - settings[i])));
        if (lab_setup_set(&c->scenario.setup, name, lab_trim(span_str(equals + 1)), e) != RESULT_OK) return false;
    }
    return lab_setup_check(&c->scenario.setup, e) == RESULT_OK;
}

/* 0, or the exit status of wrong usage. */
static int read_arguments(struct live_cli *c, struct lab_cli_args *a)
{
    const char *value = NULL, *settings[SETTINGS_MAX], *given = NULL, *miner = NULL, *name;
    size_t count = 0;
    struct error e = {0};
    c->options.speed = 100;
    if (lab_cli_take(a, "--speed", &value)) {
        char *end = NULL;
        c->options.speed = value ? strtod(value, &end) : 0;
        if (!value || *end || !(c->options.speed >= 1 && c->options.speed <= 100000))
            return lab_cli_wrong("live", "--speed: want a number from 1 to 100000");
    }
    if (!take_port(a, "--port-base", &c->options.port_base)) return lab_cli_wrong("live", "--port-base: want a port");
    if (!take_port(a, "--port", &c->page_port)) return lab_cli_wrong("live", "--port: want a port");
    c->json = lab_cli_take(a, "--json", &value);
    c->page = lab_cli_take(a, "--page", &value);
    lab_cli_take(a, "--plain", &value);
    lab_cli_take(a, "--cairnd", &given);
    lab_cli_take(a, "--miner", &miner);
    while (count < SETTINGS_MAX && lab_cli_take(a, "--set", &value))
        if (value) settings[count++] = value;
    const char *seed = NULL;
    lab_cli_take(a, "--seed", &seed);
    name = lab_cli_next(a);
    if (!lab_cli_done("live", a)) return 2;
    if (!choose_scenario(c, name, &e) ||
        (seed && lab_setup_set(&c->scenario.setup, span_str("seed"), span_str(seed), &e)) ||
        !set_all(c, settings, count, &e))
        return lab_cli_wrong("live", e.text);
    if (!find_program(c->cairnd, sizeof(c->cairnd), "cairnd", given))
        return lab_cli_wrong("live", "there is no cairnd beside this program (--cairnd names one)");
    bool mines = find_program(c->miner, sizeof(c->miner), "cairn-miner", miner);
    if (miner && !mines) return lab_cli_wrong("live", "--miner: there is no such program");
    const char *folder = getenv("TMPDIR");
    c->options.scenario = &c->scenario;
    c->options.cairnd = c->cairnd;
    c->options.miner = mines ? c->miner : NULL;
    c->options.folder = folder && *folder ? folder : "/tmp";
    c->options.stopped = is_stopped;
    c->options.stopped_arg = c;
    return 0;
}

/* ---- on a terminal ---- */

static void note_name(struct live_cli *c, const struct lab_event *e)
{
    if (e->kind != LAB_EVENT_NODE) return;
    c->names = realloc(c->names, (c->name_count + 1) * sizeof(*c->names));
    if (c->names) c->names[c->name_count++] = e->text;
}

/* False: nobody reads any more. */
static bool print_events(struct live_cli *c, const struct lab_source *s)
{
    size_t count;
    const struct lab_event *events = s->events(s->ctx, &count);
    c->name_count = 0;
    for (size_t i = 0; i < count; i++) note_name(c, &events[i]);
    struct buffer line = {0};
    for (; c->printed < count; c->printed++) {
        if (c->json)
            lab_event_json(&line, &events[c->printed]);
        else
            lab_event_plain(&line, &events[c->printed], c->names, c->name_count);
        buffer_put_u8(&line, '\n');
    }
    bool ok = !line.len || (fwrite(line.data, 1, line.len, stdout) == line.len && fflush(stdout) == 0);
    buffer_clear(&line);
    return ok;
}

static void obey(struct live_cli *c, const struct lab_source *s, struct span line)
{
    struct error e = {0};
    line = lab_trim(line);
    if (line.len && s->command(s->ctx, line, &e) != RESULT_OK) fprintf(stderr, "cairn-lab live: %s\n", e.text);
    (void)c;
}

/* Orders, a line each. */
static void read_orders(struct live_cli *c, const struct lab_source *s)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!c->input_over && poll(&p, 1, 0) > 0) {
        ssize_t n = read(STDIN_FILENO, buffer_reserve(&c->typed, LINE_MAX_BYTES), LINE_MAX_BYTES);
        c->input_over = n <= 0;
        if (n > 0) c->typed.len += (size_t)n;
        const uint8_t *end;
        while (c->typed.len && (end = memchr(c->typed.data, '\n', c->typed.len))) {
            size_t len = (size_t)(end - c->typed.data);
            obey(c, s, span_of(c->typed.data, len));
            c->typed.len -= len + 1;
            memmove(c->typed.data, c->typed.data + len + 1, c->typed.len);
        }
        if (c->typed.len > LINE_MAX_BYTES) c->typed.len = 0;
    }
}

static int run_terminal(struct live_cli *c, struct lab_live *l)
{
    struct lab_source s = lab_live_source(l);
    bool on = true;
    while (on && !is_stopped(c)) {
        read_orders(c, &s);
        on = lab_live_run(l, TURN_MS);
        on = print_events(c, &s) && on;
    }
    struct lab_source_state state;
    s.state(s.ctx, &state);
    if (state.failure) fprintf(stderr, "cairn-lab live: %s\n", state.failure);
    return state.failure ? 1 : 0;
}

static int run_page(struct live_cli *c, struct lab_live *l)
{
    struct error e = {0};
    struct lab_web *w;
    struct lab_web_options o = {.address = "127.0.0.1",
                                .port = c->page_port,
                                .source = lab_live_source(l),
                                .library = &c->library,
                                .autoplay = true,
                                .jobs = lab_cli_processors()};
    signals_close(&c->signals); /* the server has its own way with them */
    if (lab_web_new(&w, &o, &e) != RESULT_OK) {
        fprintf(stderr, "cairn-lab live: %s\n", e.text);
        return 1;
    }
    printf("http://127.0.0.1:%u/\n", lab_web_port(w));
    fflush(stdout);
    lab_web_run(w);
    lab_web_free(w);
    return 0;
}

static int run(struct live_cli *c)
{
    struct error e = {0};
    struct lab_live *l;
    struct buffer text = {0};
    if (signals_open(&c->signals, &e) != RESULT_OK || lab_live_new(&l, &c->options, &e) != RESULT_OK) {
        if (!c->stopped) fprintf(stderr, "cairn-lab live: %s\n", e.text);
        return c->stopped ? 0 : 1;
    }
    lab_live_describe(l, &text);
    FILE *out = c->json ? stderr : stdout;
    fwrite(text.data, 1, text.len, out);
    fflush(out);
    buffer_clear(&text);
    int status = c->page ? run_page(c, l) : run_terminal(c, l);
    lab_live_free(l);
    return status;
}

int lab_cli_live(struct lab_cli_args *a)
{
    struct live_cli c = {.signals = {.fd = -1}};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTIN, SIG_IGN); /* in the background there is nobody who types */
    int status = read_arguments(&c, a);
    if (status == 0) status = run(&c);
    signals_close(&c.signals);
    buffer_clear(&c.typed);
    free(c.names);
    lab_library_clear(&c.library);
    if (c.has_loaded) lab_scenario_clear(&c.loaded);
    return status;
}
