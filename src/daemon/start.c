/* Start and stop of the daemon as an array of steps. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/daemon.h"
#include "daemon/help.h"
#include "daemon/version.h"

int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_steady_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool start_fail(struct start_error *error, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buffer_put_str(&error->text, text);
    return false;
}

void start_warn(struct daemon *d, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_warning(&d->log.log, "%s", text);
    fprintf(stderr, "Warning: %s\n", text);
}

static bool fail_with(struct start_error *error, const struct error *e)
{
    buffer_put_str(&error->text, e->text);
    return false;
}

/* ---- the steps ---- */

static bool start_signals(struct daemon *d, struct start_error *error)
{
    struct error e;
    if (!request_queue_init(&d->queue)) {
        buffer_put_str(&error->text, "Out of file descriptors.");
        return false;
    }
    return signals_open(&d->signals, &e) ? fail_with(error, &e) : true;
}

static void stop_signals(struct daemon *d)
{
    signals_close(&d->signals);
    request_queue_clear(&d->queue);
}

static bool start_folders(struct daemon *d, struct start_error *error)
{
    struct error e;
    d->datadir = args_chain_dir(&d->args);
    d->blocks_dir = args_blocks_dir(&d->args);
    if (!d->blocks_dir) {
        buffer_printf(&error->text, "Specified blocks directory \"%s\" does not exist.",
                      args_string(&d->args, "blocksdir"));
        return false;
    }
    if (dir_create(d->blocks_dir, NULL, &e)) return fail_with(error, &e);
    if (dir_lock_take(&d->datadir_lock, d->datadir, &e)) return fail_with(error, &e);
    return dir_lock_take(&d->blocks_lock, d->blocks_dir, &e) ? fail_with(error, &e) : true;
}

static void stop_folders(struct daemon *d)
{
    dir_lock_release(&d->blocks_lock);
    dir_lock_release(&d->datadir_lock);
    free(d->datadir);
    free(d->blocks_dir);
}

/* Misspelt sections of the configuration are ignored, but not in silence. */
static void warn_of_sections(struct daemon *d)
{
    struct buffer text = {0};
    args_unknown_sections(&d->args, &text);
    if (text.len) {
        text.len--; /* the last new line */
        log_warning(&d->log.log, "%s", buffer_text(&text));
        fprintf(stderr, "Warning: %s\n", buffer_text(&text));
    }
    buffer_clear(&text);
}

static bool start_log(struct daemon *d, struct start_error *error)
{
    char *path = args_file(&d->args, "debuglogfile");
    d->log_path = path ? path : mem_strdup("");
    if (!log_sink_open(&d->log, &d->args, &error->text)) return false;
    warn_of_sections(d);
    return true;
}

static void stop_log(struct daemon *d)
{
    free(d->log_path);
}

static bool start_pid_file(struct daemon *d, struct start_error *error)
{
    struct error e;
    char *path = args_file(&d->args, "pid");
    if (!path) return true;
    if (pid_file_write(path, &e)) {
        free(path);
        return fail_with(error, &e);
    }
    d->pid_path = path;
    return true;
}

static void stop_pid_file(struct daemon *d)
{
    if (d->pid_path) unlink(d->pid_path);
    free(d->pid_path);
}

static bool start_commands(struct daemon *d, struct start_error *error)
{
    (void)error;
    d->commands = command_runner_new(&d->log.log);
    return true;
}

static void stop_commands(struct daemon *d)
{
    command_runner_free(d->commands);
}

static void stop_node(struct daemon *d)
{
    struct error e;
    import_free(d->import);
    pool_files_close(d);
    if (d->node && d->failed)
        node_free(d->node);
    else if (d->node && node_close(d->node, &e)) {
        log_error(&d->log.log, "Writing the last state failed: %s", e.text);
        d->failed = true;
        snprintf(d->fatal, sizeof(d->fatal), "%s", e.text);
    }
    d->node = NULL;
    close_stores(d);
    buffer_clear(&d->signet_challenge);
}

static void stop_network(struct daemon *d)
{
    network_keep_anchors(d);
    network_stop(d);
}

static const struct {
    bool (*start)(struct daemon *d, struct start_error *error);
    void (*stop)(struct daemon *d); /* may be NULL; called too where its own start failed half-way */
} steps[] = {
    {start_signals, stop_signals},
    {start_folders, stop_folders},
    {start_pid_file, stop_pid_file},
    {start_log, stop_log},
    {setup_chain_options, NULL},
    {setup_checks, NULL},
    {setup_network_options, free_network_options},
    {setup_mempool_options, NULL},
    {start_commands, stop_commands},
    {setup_rpc, close_rpc},
    {setup_node, stop_node},
    {setup_network, close_network},
    {setup_import, NULL},
    {network_start, stop_network},
};

/* ---- all together ---- */

static void report_start_error(struct daemon *d, struct start_error *error)
{
    const char *text = buffer_text(&error->text);
    log_error(&d->log.log, "%s", text);
    fprintf(stderr, error->raw ? "%s\n" : "Error: %s\n", text);
}

static void run_shutdown_commands(struct daemon *d)
{
    size_t count;
    const char **commands = args_list(&d->args, "shutdownnotify", &count);
    command_run_all(d->commands, commands, count);
    free(commands);
}

static int run_steps(struct daemon *d)
{
    struct start_error error = {0};
    size_t done = 0;
    bool ok = true;
    while (ok && done < ARRAY_LEN(steps)) ok = steps[done++].start(d, &error);
    if (ok) {
        rpc_warmed_up(d);
        log_info(&d->log.log, "init message: Done loading"); /* scripts that wait for this call at once */
        background_report(&d->background, true);
        daemon_run(d);
        run_shutdown_commands(d);
        stop_rpc(d);
    } else {
        report_start_error(d, &error);
        d->failed = true;
    }
    while (done-- > 0)
        if (steps[done].stop) steps[done].stop(d);
    if (d->fatal[0])
        fprintf(stderr, "Error: A fatal internal error occurred, see debug.log for details: %s\n", d->fatal);
    log_info(&d->log.log, "Shutdown done");
    buffer_clear(&error.text);
    return d->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* -daemon: the parent waits until the child is up where the user wants that, and leaves. */
static bool go_to_background(struct daemon *d, int *code)
{
    bool wait = args_bool(&d->args, "daemonwait");
    if (!wait && !args_bool(&d->args, "daemon")) return true;
    bool is_child;
    struct error e;
    printf("%s daemon starting\n", CAIRN_NAME);
    fflush(stdout);
    *code = EXIT_FAILURE;
    if (background_fork(&d->background, &is_child, &e)) {
        fprintf(stderr, "Error: %s\n", e.text);
        return false;
    }
    if (is_child) return true;
    *code = !wait || background_wait(&d->background) ? EXIT_SUCCESS : EXIT_FAILURE;
    return false;
}

/* Reads all settings; false where the program ends here, with the exit code in *CODE. */
static bool read_settings(struct daemon *d, int argc, const char *const *argv, int *code)
{
    struct buffer text = {0};
    *code = EXIT_FAILURE;
    bool ok = args_parse_command_line(&d->args, argc, argv, &text);
    if (!ok) {
        fprintf(stderr, "Error: %s\n", buffer_text(&text));
    } else if (help_answer(&d->args, "daemon", &text)) {
        fputs(buffer_text(&text), stdout);
        *code = EXIT_SUCCESS;
        ok = false;
    } else if (!args_load(&d->args, &text) || !args_check_no_command(&d->args, &text) ||
               !args_check_sections(&d->args, &text) || !log_sink_set_categories(&d->log, &d->args, &text)) {
        fprintf(stderr, "Error: %s\n", buffer_text(&text));
        ok = false;
    }
    buffer_clear(&text);
    return ok;
}

int daemon_main(int argc, const char *const *argv)
{
    static const struct daemon empty;
    struct daemon *d = mem_dup(&empty, sizeof(empty));
    int code;
    process_setup();
    d->datadir_lock.fd = d->blocks_lock.fd = d->background.fd = d->signals.fd = -1;
    d->start_us = clock_us();
    log_sink_init(&d->log);
    args_init(&d->args, &options_daemon, &d->log.log);
    if (read_settings(d, argc, argv, &code) && go_to_background(d, &code)) {
        log_sink_configure(&d->log, &d->args);
        code = run_steps(d);
        background_report(&d->background, code == EXIT_SUCCESS);
    }
    args_clear(&d->args);
    log_sink_clear(&d->log);
    free(d);
    return code;
}
