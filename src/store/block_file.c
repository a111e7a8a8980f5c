/* Reading somebody's block file by its path, with the xor.dat beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/store.h"
#include "store/xor_key.h"

struct block_file {
    int fd;
    uint64_t size;
    struct xor_key key;
    char *path;
};

/* The folder part of PATH; the caller frees. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return mem_strdup(".");
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    char *folder = mem_alloc(len + 1);
    memcpy(folder, path, len);
    folder[len] = 0;
    return folder;
}

static enum result open_file(struct block_file *f, struct error *e)
{
    struct stat st;
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0) return system_error(e, "Cannot open", f->path);
    if (fstat(f->fd, &st)) return system_error(e, "Cannot read", f->path);
    if (!S_ISREG(st.st_mode)) return error_set(e, RESULT_IO, "%s is not a regular file", f->path);
    f->size = (uint64_t)st.st_size;
    char *folder = folder_of(f->path);
    enum result result = xor_key_read(&f->key, folder, e);
    free(folder);
    if (result == RESULT_NOT_FOUND) f->key = (struct xor_key){0};
    return result == RESULT_NOT_FOUND ? RESULT_OK : result;
}

enum result block_file_open(struct block_file **out, const char *path, struct error *e)
{
    struct block_file *f = mem_calloc(1, sizeof(*f));
    f->path = mem_strdup(path);
    enum result result = open_file(f, e);
    *out = f;
    if (result == RESULT_OK) return result;
    block_file_close(f);
    *out = NULL;
    return result;
}

enum result block_file_read(struct block_file *f, uint64_t offset, uint8_t *out, size_t len, size_t *got,
                            struct error *e)
{
    *got = 0;
    while (*got < len) {
        ssize_t n = pread(f->fd, out + *got, len - *got, (off_t)(offset + *got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(e, "Cannot read", f->path);
        if (n == 0) break;
        *got += (size_t)n;
    }
    xor_apply(&f->key, offset, out, *got);
    return RESULT_OK;
}

uint64_t block_file_size(const struct block_file *f)
{
    return f->size;
}

void block_file_close(struct block_file *f)
{
    if (!f) return;
    if (f->fd >= 0) close(f->fd);
    free(f->path);
    free(f);
}
