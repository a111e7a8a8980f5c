/* A temporary folder: made, and removed with all that is in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/live_process.h"

enum { DEEPEST = 32 };

enum result live_folder_open(struct live_folder *f, const char *path, struct error *e)
{
    struct stat s;
    *f = (struct live_folder){.fd = -1};
    if (strlen(path) >= sizeof(f->path)) return error_set(e, RESULT_INVALID, "%s: the path is too long", path);
    f->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &s) != 0) {
        int code = errno;
        live_folder_close(f);
        return error_set(e, RESULT_IO, "cannot open %s: %s", path, strerror(code));
    }
    f->device = s.st_dev;
    f->inode = s.st_ino;
    memcpy(f->path, path, strlen(path) + 1);
    return RESULT_OK;
}

enum result live_folder_make(struct live_folder *f, const char *parent, struct error *e)
{
    char real[PATH_MAX], path[PATH_MAX + sizeof("/cairn-lab-XXXXXX")];
    *f = (struct live_folder){.fd = -1};
    if (!realpath(parent, real)) return error_set(e, RESULT_IO, "cannot use %s: %s", parent, strerror(errno));
    snprintf(path, sizeof(path), "%s/cairn-lab-XXXXXX", strcmp(real, "/") ? real : "");
    if (!mkdtemp(path)) return error_set(e, RESULT_IO, "cannot make a folder in %s: %s", real, strerror(errno));
    enum result r = live_folder_open(f, path, e);
    if (r != RESULT_OK) rmdir(path);
    return r;
}

void live_folder_close(struct live_folder *f)
{
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

/* Everything in the folder FD, which is taken. */
static void empty(int fd_taken, dev_t device, int depth)
{
    DIR *d = fdopendir(fd_taken);
    if (!d) {
        close(fd_taken);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(d))) {
        struct stat s;
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (fstatat(dirfd(d), name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISDIR(s.st_mode)) {
            unlinkat(dirfd(d), name, 0);
            continue;
        }
        if (s.st_dev != device || depth >= DEEPEST) continue;
        int below = openat(dirfd(d), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0 && fstat(below, &s) == 0 && s.st_dev == device)
            empty(below, device, depth + 1);
        else if (below >= 0)
            close(below);
        unlinkat(dirfd(d), name, AT_REMOVEDIR);
    }
    closedir(d);
}

void live_folder_remove(struct live_folder *f)
{
    struct stat s;
    if (f->fd < 0) return;
    int copy = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* it has a place of its own in the listing */
    if (copy >= 0) empty(copy, f->device, 0);
    if (lstat(f->path, &s) == 0 && S_ISDIR(s.st_mode) && s.st_dev == f->device && s.st_ino == f->inode) rmdir(f->path);
    live_folder_close(f);
}
