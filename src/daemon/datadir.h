/* The data directory on disk: creating it, locking it, the file with the process number. */
#ifndef CAIRN_DAEMON_DATADIR_H
#define CAIRN_DAEMON_DATADIR_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/result.h"
#include "base/span.h"

/* Makes the directory PATH (mode 0700) with all above it; *MADE (may be NULL) tells whether it is new. */
MUST_USE enum result dir_create(const char *path, bool *made, struct error *error);

/* The same for the data directory: where it is new, an empty folder "wallets" in it. */
MUST_USE enum result datadir_create(const char *path, struct error *error);

/* A lock on a directory: a write lock on its file .lock, of the same sort as Bitcoin Core's, so that neither starts in
 * a directory of the other. It belongs to the process and ends with it; a child after fork() does not have it. */
struct dir_lock {
    int fd; /* -1: not held */
};

/* RESULT_IO where the file cannot be written, RESULT_BUSY where somebody else holds the lock. */
MUST_USE enum result dir_lock_take(struct dir_lock *lock, const char *dir, struct error *error);
void dir_lock_release(struct dir_lock *lock);

/* Puts DATA in the place of the file PATH: written beside it as PATH.new and on the disk before it takes its name, so
 * that a crash leaves the old one or the new one. */
MUST_USE enum result file_replace(const char *path, struct span data, struct error *error);

/* Writes the number of this process to the file. */
MUST_USE enum result pid_file_write(const char *path, struct error *error);

#endif
