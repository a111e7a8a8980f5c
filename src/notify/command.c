/* Command hooks: one thread a command, which waits for it and reports how it ended. */
#include "notify/command.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

struct command_runner {
    pthread_mutex_t lock;
    pthread_cond_t idle; /* running became 0 */
    struct log *log;     /* NULL once the owner has let go */
    size_t running;
    bool released; /* the last command frees the runner */
};

struct job {
    struct command_runner *runner;
    char *command;
};

struct command_runner *command_runner_new(struct log *log)
{
    struct command_runner *r = mem_calloc(1, sizeof(*r));
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->idle, NULL);
    r->log = log;
    return r;
}

static void destroy(struct command_runner *r)
{
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->idle);
    free(r);
}

void command_runner_free(struct command_runner *r)
{
    if (!r) return;
    pthread_mutex_lock(&r->lock);
    r->released = true;
    r->log = NULL;
    bool last = r->running == 0;
    pthread_mutex_unlock(&r->lock);
    if (last) destroy(r);
}

/* sh -c COMMAND with default signals and without our files; the wait status, or -1 with errno. */
static int run_shell(const char *command)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none;
    sigset_t normal;
    sigemptyset(&none);
    sigemptyset(&normal);
    sigaddset(&normal, SIGPIPE); /* the one that a daemon ignores */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &normal);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    pid_t pid;
    int code = posix_spawn(&pid, "/bin/sh", &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (code != 0) {
        errno = code;
        return -1;
    }
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return status;
}

static void *job_main(void *arg)
{
    struct job *job = arg;
    struct command_runner *r = job->runner;
    int status = run_shell(job->command);
    pthread_mutex_lock(&r->lock);
    if (status != 0) log_warning(r->log, "runCommand error: system(%s) returned %d", job->command, status);
    bool last = --r->running == 0;
    if (last) pthread_cond_broadcast(&r->idle);
    bool destroy_it = last && r->released;
    pthread_mutex_unlock(&r->lock);
    if (destroy_it) destroy(r);
    free(job->command);
    free(job);
    return NULL;
}

/* Starts the thread of one command; false where there is none to join. */
static bool start(struct command_runner *r, const char *command, bool detached, pthread_t *thread)
{
    if (!*command) return false;
    struct job *job = mem_calloc(1, sizeof(*job));
    *job = (struct job){.runner = r, .command = mem_strdup(command)};
    pthread_mutex_lock(&r->lock);
    r->running++;
    pthread_mutex_unlock(&r->lock);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    int code = pthread_create(thread, &attributes, job_main, job);
    pthread_attr_destroy(&attributes);
    if (code == 0) return true;
    pthread_mutex_lock(&r->lock);
    r->running--;
    log_warning(r->log, "Cannot run the command %s: %s", command, strerror(code));
    pthread_mutex_unlock(&r->lock);
    free(job->command);
    free(job);
    return false;
}

void command_run(struct command_runner *r, const char *command)
{
    pthread_t thread;
    (void)start(r, command, true, &thread);
}

void command_run_all(struct command_runner *r, const char *const *commands, size_t count)
{
    pthread_t *threads = mem_calloc(count, sizeof(*threads));
    size_t started = 0;
    for (size_t i = 0; i < count; i++) {
        if (start(r, commands[i], false, &threads[started])) started++;
    }
    for (size_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
    free(threads);
}

void command_runner_wait(struct command_runner *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->running > 0) pthread_cond_wait(&r->idle, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

void command_fill(struct buffer *out, const char *template, const char *value)
{
    const char *hole;
    while ((hole = strstr(template, "%s")) != NULL) {
        buffer_put(out, template, (size_t)(hole - template));
        buffer_put_str(out, value);
        template = hole + 2;
    }
    buffer_put_str(out, template);
}

void command_fill_quoted(struct buffer *out, const char *template, const char *text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,;-_/:?@()";
    struct buffer quoted = {0};
    buffer_put_u8(&quoted, '\'');
    for (; *text; text++) {
        if (strchr(safe, *text)) buffer_put_u8(&quoted, (uint8_t)*text);
    }
    buffer_put_u8(&quoted, '\'');
    command_fill(out, template, buffer_text(&quoted));
    buffer_clear(&quoted);
}

static void run_filled(struct command_runner *r, const char *template, const char *value,
                       void (*fill)(struct buffer *, const char *, const char *))
{
    if (!template || !*template) return;
    struct buffer command = {0};
    fill(&command, template, value);
    command_run(r, buffer_text(&command));
    buffer_clear(&command);
}

void notify_block(struct command_runner *r, const char *template, const char *hash_hex)
{
    run_filled(r, template, hash_hex, command_fill);
}

void notify_alert(struct command_runner *r, const char *template, const char *message)
{
    run_filled(r, template, message, command_fill_quoted);
}
