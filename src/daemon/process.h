/* The process: going to the background, signals. */
#ifndef CAIRN_DAEMON_PROCESS_H
#define CAIRN_DAEMON_PROCESS_H

#include <signal.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/result.h"

/* First thing in main: files are for their owner alone (umask 077), writing to a closed socket is no signal. */
void process_setup(void);

/* What was freed goes back to the system; takes some milliseconds. */
void process_give_back_memory(void);

/* The end of a pipe between the two processes of -daemon; -1: none. */
struct background {
    int fd;
};

/* Forks; to be called before any thread exists. In the child (*IS_CHILD) standard input, output and error are
 * /dev/null, and B tells the parent how start-up went; the parent then calls background_wait and exits. */
MUST_USE enum result background_fork(struct background *b, bool *is_child, struct error *error);

/* In the child: what the parent's background_wait returns. Does nothing without a pipe or the second time. */
void background_report(struct background *b, bool ok);

/* In the parent: waits until the child reports; false where it failed or died. */
MUST_USE bool background_wait(struct background *b);

enum signal_event {
    SIGNAL_NONE,
    SIGNAL_STOP,   /* SIGTERM, SIGINT */
    SIGNAL_REOPEN, /* SIGHUP: open the log file again */
};

/* Signals as something to read: blocked for the process and all threads made later, queued in FD, which an event loop
 * can watch. */
struct signals {
    int fd;
    sigset_t before; /* the mask to restore */
};

MUST_USE enum result signals_open(struct signals *s, struct error *error);
void signals_close(struct signals *s);
/* The next signal, without waiting. */
enum signal_event signals_take(struct signals *s);

#endif
