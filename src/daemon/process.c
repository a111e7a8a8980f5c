/* The process: going to the background, signals. */
#include "daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is freed goes back to the system: large blocks at once, the rest where it is at an end of the heap (the loop
 * asks for more now and then). Threads share two heaps rather than keep what they no longer need each in its own. */
static void set_heap(void)
{
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
#endif
}

void process_give_back_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void process_setup(void)
{
    set_heap();
    umask(077);
    signal(SIGPIPE, SIG_IGN);
}

static bool to_null(void)
{
    int fd = open("/dev/null", O_RDWR);
    if (fd < 0) return false;
    bool ok = dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
    if (fd > STDERR_FILENO) close(fd);
    return ok;
}

enum result background_fork(struct background *b, bool *is_child, struct error *error)
{
    int ends[2];
    b->fd = -1;
    if (pipe2(ends, O_CLOEXEC) != 0) return error_set(error, RESULT_IO, "pipe() failed: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0) {
        int code = errno;
        close(ends[0]);
        close(ends[1]);
        return error_set(error, RESULT_IO, "fork() failed: %s", strerror(code));
    }
    *is_child = pid == 0;
    b->fd = ends[*is_child ? 1 : 0];
    close(ends[*is_child ? 0 : 1]);
    if (*is_child && (setsid() < 0 || !to_null())) _exit(1);
    return RESULT_OK;
}

void background_report(struct background *b, bool ok)
{
    if (b->fd < 0) return;
    char token = ok ? 1 : 0;
    ssize_t n;
    do {
        n = write(b->fd, &token, 1);
    } while (n < 0 && errno == EINTR);
    close(b->fd);
    b->fd = -1;
}

bool background_wait(struct background *b)
{
    char token = 0;
    ssize_t n;
    do {
        n = read(b->fd, &token, 1);
    } while (n < 0 && errno == EINTR);
    close(b->fd);
    b->fd = -1;
    return n == 1 && token == 1;
}

enum result signals_open(struct signals *s, struct error *error)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &mask, &s->before);
    s->fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->fd >= 0) return RESULT_OK;
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    return error_set(error, RESULT_IO, "signalfd() failed: %s", strerror(code));
}

void signals_close(struct signals *s)
{
    if (s->fd < 0) return;
    close(s->fd);
    s->fd = -1;
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}

enum signal_event signals_take(struct signals *s)
{
    struct signalfd_siginfo info;
    if (s->fd < 0 || read(s->fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) return SIGNAL_NONE;
    return info.ssi_signo == SIGHUP ? SIGNAL_REOPEN : SIGNAL_STOP;
}
