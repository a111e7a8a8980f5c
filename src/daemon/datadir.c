/* The data directory on disk. */
#include "daemon/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "daemon/version.h"

/* mkdir -p; *MADE tells whether the last part is new. */
static bool make_path(const char *path, bool *made)
{
    char *copy = mem_strdup(path);
    bool ok = true;
    for (char *at = copy + 1; ok; at++) {
        if (*at != '/' && *at) continue;
        bool last = !*at;
        *at = '\0';
        int rc = mkdir(copy, 0700);
        *made = rc == 0;
        struct stat st;
        ok = rc == 0 || (errno == EEXIST && stat(copy, &st) == 0 && S_ISDIR(st.st_mode));
        if (last) break;
        *at = '/';
    }
    free(copy);
    return ok;
}

enum result dir_create(const char *path, bool *made, struct error *error)
{
    bool ignored;
    if (make_path(path, made ? made : &ignored)) return RESULT_OK;
    return error_set(error, RESULT_IO, "Cannot create directory %s: %s", path, strerror(errno));
}

enum result datadir_create(const char *path, struct error *error)
{
    bool made = false;
    enum result r = dir_create(path, &made, error);
    if (r || !made) return r;
    struct buffer wallets = {0};
    buffer_printf(&wallets, "%s/wallets", path);
    bool ok = mkdir(buffer_text(&wallets), 0700) == 0 || errno == EEXIST;
    int code = errno;
    buffer_clear(&wallets);
    if (ok) return RESULT_OK;
    return error_set(error, RESULT_IO, "Cannot create directory %s/wallets: %s", path, strerror(code));
}

enum result dir_lock_take(struct dir_lock *lock, const char *dir, struct error *error)
{
    struct buffer path = {0};
    buffer_printf(&path, "%s/.lock", dir);
    lock->fd = open(buffer_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    buffer_clear(&path);
    if (lock->fd < 0) {
        return error_set(error, RESULT_IO, "Cannot write to directory '%s'; check permissions.", dir);
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock->fd, F_SETLK, &whole) == 0) return RESULT_OK;
    dir_lock_release(lock);
    return error_set(error, RESULT_BUSY, "Cannot obtain a lock on directory %s. %s is probably already running.", dir,
                     CAIRN_NAME);
}

void dir_lock_release(struct dir_lock *lock)
{
    if (lock->fd >= 0) close(lock->fd);
    lock->fd = -1;
}

static bool write_all(int fd, struct span data)
{
    while (data.len) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        data = span_of(data.data + n, data.len - (size_t)n);
    }
    return true;
}

enum result file_replace(const char *path, struct span data, struct error *error)
{
    struct buffer temporary = {0};
    buffer_printf(&temporary, "%s.new", path);
    const char *name = buffer_text(&temporary);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, data) && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0 && close(fd) && ok) {
        ok = false;
        code = errno;
    }
    if (ok && rename(name, path)) {
        ok = false;
        code = errno;
    }
    if (!ok && fd >= 0) unlink(name);
    buffer_clear(&temporary);
    if (ok) return RESULT_OK;
    return error_set(error, code == ENOSPC ? RESULT_FULL : RESULT_IO, "Writing %s failed: %s", path, strerror(code));
}

enum result pid_file_write(const char *path, struct error *error)
{
    FILE *file = fopen(path, "we");
    bool ok = file && fprintf(file, "%ld\n", (long)getpid()) > 0;
    int code = errno;
    if (file && fclose(file) != 0 && ok) {
        ok = false;
        code = errno;
    }
    if (ok) return RESULT_OK;
    return error_set(error, RESULT_IO, "Unable to create the PID file '%s': %s", path, strerror(code));
}
