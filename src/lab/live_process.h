/* Processes of a laboratory and the folder they live in. Inside the room.
 *
 * A *guardian*, forked from the laboratory, makes the folder and is the parent of every node. It hears from the
 * laboratory through a socket whose other end nobody else has. When that end is closed, for whatever reason, it kills
 * what it has started, waits for it, removes the folder and ends. */
#ifndef CAIRN_LAB_LIVE_PROCESS_H
#define CAIRN_LAB_LIVE_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/result.h"

/* ---- a temporary folder (live_folder.c) ---- */

struct live_folder {
    int fd; /* of the folder; -1: there is none */
    dev_t device;
    ino_t inode;
    char path[PATH_MAX]; /* absolute */
};

/* Makes a folder of its own in PARENT, for its owner alone. */
MUST_USE enum result live_folder_make(struct live_folder *f, const char *parent, struct error *e);
/* The folder PATH, made by live_folder_make in another process. */
MUST_USE enum result live_folder_open(struct live_folder *f, const char *path, struct error *e);
/* Removes the folder with all that is in it. Nothing outside of it: links are removed, not followed, other file systems
 * are left alone, and a path that leads somewhere else by now is not touched. */
void live_folder_remove(struct live_folder *f);
void live_folder_close(struct live_folder *f);

/* ---- the guardian (live_process.c) ---- */

enum { LIVE_PROCESSES = 128 };

struct live_guard {
    int fd; /* -1: none */
    pid_t pid;
    struct live_folder folder;
};

/* Forks; call it from the thread that lives longest. The folder is made. */
MUST_USE enum result live_guard_open(struct live_guard *g, const char *parent, struct error *e);
/* Starts a program in a process group of its own; its output goes to the file OUTPUT of the folder. */
MUST_USE enum result live_guard_start(struct live_guard *g, const char *output, const char *const *argv, pid_t *pid,
                                      struct error *e);
/* Whether a process that was started here still is there. */
bool live_guard_runs(const struct live_guard *g, pid_t pid);
/* Whether the guardian itself is there. */
bool live_guard_is_there(const struct live_guard *g);
/* Ends everything and waits until it is gone. */
void live_guard_close(struct live_guard *g);

#endif
