/* The guardian: starts the nodes, and ends them when the laboratory is gone. */
#include "lab/live_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 16384, WORDS_MAX = 128, TICK_MS = 100, REMOVALS = 50, GONE_WAIT_MS = 5000 };

/* What the guardian answers: the path of its folder, then a process for each request. */
struct hello {
    enum result code;
    char text[PATH_MAX]; /* the folder, or what went wrong */
};

struct answer {
    pid_t pid; /* below 0: an errno, negative */
};

/* ---- in the guardian ---- */

struct guardian {
    int fd;
    pid_t owner;
    struct live_folder folder;
    pid_t pids[LIVE_PROCESSES]; /* 0: none */
};

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* In the child: becomes the program. */
static void become(struct guardian *g, const char *output, char *const *argv, pid_t guardian)
{
    sigset_t none;
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = openat(g->folder.fd, output, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guardian || in < 0 || out < 0) _exit(126);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0) _exit(126);
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP) signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static pid_t start(struct guardian *g, char *request, size_t len)
{
    char *words[WORDS_MAX + 1];
    size_t count = 0, slot = 0;
    for (char *p = request; p < request + len && count < WORDS_MAX; p += strlen(p) + 1) words[count++] = p;
    words[count] = NULL;
    while (slot < LIVE_PROCESSES && g->pids[slot]) slot++;
    if (count < 2 || slot == LIVE_PROCESSES) return -E2BIG;
    pid_t self = getpid(), pid = fork();
    if (pid == 0) become(g, words[0], words + 1, self);
    if (pid < 0) return -errno;
    setpgid(pid, pid);
    g->pids[slot] = pid;
    return pid;
}

static void reap(struct guardian *g)
{
    for (size_t i = 0; i < LIVE_PROCESSES; i++)
        if (g->pids[i] && waitpid(g->pids[i], NULL, WNOHANG) == g->pids[i]) {
            kill(-g->pids[i], SIGKILL); /* what it may have left in its group */
            g->pids[i] = 0;
        }
}

static void end_all(struct guardian *g)
{
    for (size_t i = 0; i < LIVE_PROCESSES; i++) {
        if (!g->pids[i]) continue;
        kill(-g->pids[i], SIGKILL);
        kill(g->pids[i], SIGKILL);
    }
    for (size_t i = 0; i < LIVE_PROCESSES; i++)
        while (g->pids[i] && waitpid(g->pids[i], NULL, 0) < 0 && errno == EINTR) continue;
    live_folder_remove(&g->folder);
}

/* Nothing of the laboratory's but the socket: no port, no terminal, no lock may live on in the guardian. */
static bool let_go(int *fd)
{
    enum { KEPT = STDERR_FILENO + 1 };
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || setsid() < 0) return false;
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (dup2(null, i) < 0) return false;
    if (*fd != KEPT && dup2(*fd, KEPT) < 0) return false;
    *fd = KEPT;
    fcntl(*fd, F_SETFD, FD_CLOEXEC);
    return close_range(KEPT + 1, ~0U, 0) == 0 && chdir("/") == 0;
}

/* True as long as the laboratory is there; a request that came is done. */
static bool serve(struct guardian *g)
{
    char request[REQUEST_MAX + 1];
    struct pollfd p = {.fd = g->fd, .events = POLLIN};
    int ready = poll(&p, 1, TICK_MS);
    reap(g);
    if (getppid() != g->owner) return false; /* it was killed, and somebody whom it forked holds the socket's end */
    if (ready < 0) return errno == EINTR;
    if (ready == 0) return true;
    ssize_t n = recv(g->fd, request, REQUEST_MAX, 0);
    if (n <= 0) return n < 0 && errno == EINTR;
    request[n] = '\0';
    struct answer a = {.pid = start(g, request, (size_t)n)};
    return send(g->fd, &a, sizeof(a), MSG_NOSIGNAL) == (ssize_t)sizeof(a);
}

static NORETURN void guard(int fd, const char *parent, pid_t owner)
{
    struct guardian g = {.fd = fd, .owner = owner, .folder = {.fd = -1}};
    struct hello hello = {0};
    struct error e = {0};
    char real[PATH_MAX];
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all,
                NULL); /* neither the terminal nor a kind request ends it: only its work's end does */
    prctl(PR_SET_NAME, "cairn-lab-guard");
    if (!realpath(parent, real)) hello.code = error_set(&e, RESULT_IO, "cannot use %s: %s", parent, strerror(errno));
    if (!hello.code && !let_go(&g.fd)) hello.code = error_set(&e, RESULT_IO, "no guardian: %s", strerror(errno));
    if (!hello.code) hello.code = live_folder_make(&g.folder, real, &e);
    snprintf(hello.text, sizeof(hello.text), "%s", hello.code ? e.text : g.folder.path);
    bool good = send(g.fd, &hello, sizeof(hello), MSG_NOSIGNAL) == (ssize_t)sizeof(hello) && !hello.code;
    while (good && serve(&g)) continue;
    end_all(&g);
    _exit(0);
}

/* ---- in the laboratory ---- */

static ssize_t receive(int fd, void *data, size_t len)
{
    ssize_t n;
    do {
        n = recv(fd, data, len, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

enum result live_guard_open(struct live_guard *g, const char *parent, struct error *e)
{
    int ends[2];
    struct hello hello;
    *g = (struct live_guard){.fd = -1, .folder = {.fd = -1}};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set(e, RESULT_IO, "socketpair() failed: %s", strerror(errno));
    pid_t owner = getpid();
    fflush(NULL); /* or the guardian's copy would be written, too */
    g->pid = fork();
    if (g->pid == 0) {
        close(ends[0]);
        guard(ends[1], parent, owner);
    }
    int code = errno;
    close(ends[1]);
    g->fd = ends[0];
    if (g->pid < 0) {
        close(g->fd);
        g->fd = -1;
        return error_set(e, RESULT_IO, "fork() failed: %s", strerror(code));
    }
    enum result r = RESULT_OK;
    if (receive(g->fd, &hello, sizeof(hello)) != (ssize_t)sizeof(hello))
        r = error_set(e, RESULT_IO, "the guardian of the processes ended at once");
    else if (hello.code)
        r = error_set(e, hello.code, "%s", hello.text);
    else
        r = live_folder_open(&g->folder, hello.text, e);
    if (r != RESULT_OK) live_guard_close(g);
    return r;
}

enum result live_guard_start(struct live_guard *g, const char *output, const char *const *argv, pid_t *pid,
                             struct error *e)
{
    char request[REQUEST_MAX];
    struct answer a = {0};
    size_t len = 0;
    for (const char *word = output; word; word = *argv++) {
        size_t n = strlen(word) + 1;
        if (n > sizeof(request) - len) return error_set(e, RESULT_INVALID, "a command line is too long");
        memcpy(request + len, word, n);
        len += n;
    }
    if (send(g->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len || receive(g->fd, &a, sizeof(a)) != (ssize_t)sizeof(a))
        return error_set(e, RESULT_IO, "the guardian of the processes is gone");
    if (a.pid <= 0)
        return error_set(e, RESULT_IO, "cannot start %s: %s", argv[-1] ? argv[-1] : output, strerror(-a.pid));
    *pid = a.pid;
    return RESULT_OK;
}

bool live_guard_runs(const struct live_guard *g, pid_t pid)
{
    return g->fd >= 0 && pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

bool live_guard_is_there(const struct live_guard *g)
{
    struct pollfd p = {.fd = g->fd};
    return g->fd >= 0 && (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLHUP | POLLERR)));
}

void live_guard_close(struct live_guard *g)
{
    int status = 0;
    if (g->fd < 0) return;
    close(g->fd);
    g->fd = -1;
    pid_t ended;
    do {
        ended = waitpid(g->pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    /* A guardian that was killed takes the nodes with it, but not the folder. Files may come while the last one dies.
     */
    bool clean = ended == g->pid && WIFEXITED(status);
    for (int i = 0; !clean && i < REMOVALS && g->folder.fd >= 0; i++) {
        struct live_folder again = g->folder;
        again.fd = fcntl(g->folder.fd, F_DUPFD_CLOEXEC, 0);
        live_folder_remove(&again);
        if (access(g->folder.path, F_OK) != 0) break;
        pause_ms(GONE_WAIT_MS / REMOVALS);
    }
    live_folder_close(&g->folder);
}
