/* blk and rev files in a folder. Every read opens its file anew, and a descriptor kept for appending is compared with
 * the name first: users move, prune and replace these files while we run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "store/store.h"
#include "store/xor_key.h"

enum { KINDS = 2, PATH_BYTES = 4096 };

static const char *const prefixes[KINDS] = {"blk", "rev"};
static const uint64_t chunk_bytes[KINDS] = {16 << 20, 1 << 20}; /* room asked for at once */

/* The file being appended to. */
struct appended {
    int fd; /* -1: none */
    uint32_t file;
    dev_t dev; /* what the descriptor stands for */
    ino_t ino;
    size_t unsent; /* bytes written that the system was not asked to send to the disk yet */
};

struct flat_files {
    char *folder;
    struct xor_key key;
    bool read_only;
    struct log *log;
    pthread_mutex_t lock; /* of what follows: writers only */
    struct appended appended[KINDS];
    struct buffer scratch;
};

static void file_path(char out[PATH_BYTES], const struct flat_files *f, enum flat_kind kind, uint32_t file)
{
    snprintf(out, PATH_BYTES, "%s/%s%05u.dat", f->folder, prefixes[kind], file);
}

static enum result files_read(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, uint8_t *out, size_t len,
                              struct error *e)
{
    const struct flat_files *f = ctx;
    char path[PATH_BYTES];
    file_path(path, f, kind, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return system_error(e, "Cannot open", path);
    enum result result = file_read_at(fd, path, offset, out, len, e);
    close(fd);
    if (result == RESULT_OK) xor_apply(&f->key, offset, out, len);
    return result;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void close_appended(struct appended *a)
{
    if (a->fd >= 0) close(a->fd);
    a->fd = -1;
}

/* True where the descriptor is still what the path names. */
static bool is_current(const struct appended *a, const char *path)
{
    struct stat named;
    return !stat(path, &named) && a->ino == named.st_ino && a->dev == named.st_dev;
}

/* A descriptor for writing in *FD, which stays ours; the file is created where CREATE says so. */
static enum result open_appended(struct flat_files *f, enum flat_kind kind, uint32_t file, const char *path,
                                 bool create, int *fd, struct error *e)
{
    struct appended *a = &f->appended[kind];
    if (f->read_only) return error_set(e, RESULT_IO, "Cannot write %s: the folder was opened for reading only", path);
    if (a->fd >= 0 && a->file == file && is_current(a, path)) {
        *fd = a->fd;
        return RESULT_OK;
    }
    close_appended(a);
    int opened = open(path, O_RDWR | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT && create) {
        opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (opened >= 0) {
            enum result result = folder_sync(f->folder, e);
            if (result != RESULT_OK) {
                close(opened);
                return result;
            }
        }
    }
    struct stat st;
    if (opened < 0 || fstat(opened, &st)) {
        enum result result = system_error(e, "Cannot open", path);
        if (opened >= 0) close(opened);
        return result;
    }
    *a = (struct appended){.fd = opened, .file = file, .dev = st.st_dev, .ino = st.st_ino};
    *fd = opened;
    return RESULT_OK;
}

/* Asks for room up to the next chunk's end where a write enters a new chunk, so that files lie in few pieces and a full
 * disk is met early. The file's length stays. A file's first chunk is not asked for: most test chains never fill it. */
static enum result reserve_room(int fd, enum flat_kind kind, const char *path, uint64_t offset, size_t len,
                                struct error *e)
{
    uint64_t chunk = chunk_bytes[kind], last = (offset + len) / chunk;
    if (len == 0 || last == 0 || offset / chunk == last) return RESULT_OK;
    if (!fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)((last + 1) * chunk - offset))) return RESULT_OK;
    if (errno == ENOSPC || errno == EDQUOT) return system_error(e, "Cannot extend", path);
    return RESULT_OK; /* the file system cannot: the write decides */
}

/* Lets the system begin to write what is there, so that a later sync has little left to wait for. Only a hint. */
static void send_early(struct appended *a, size_t len)
{
    enum { ENOUGH = 1 << 20 };
    a->unsent += len;
    if (a->unsent < ENOUGH) return;
    a->unsent = 0;
    (void)sync_file_range(a->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static enum result write_locked(struct flat_files *f, enum flat_kind kind, uint32_t file, uint64_t offset,
                                struct span data, struct error *e)
{
    char path[PATH_BYTES];
    int fd;
    file_path(path, f, kind, file);
    enum result result = open_appended(f, kind, file, path, true, &fd, e);
    if (result != RESULT_OK) return result;
    result = reserve_room(fd, kind, path, offset, data.len, e);
    if (result != RESULT_OK) return result;
    f->scratch.len = 0;
    if (!xor_key_is_zero(&f->key)) {
        buffer_put_span(&f->scratch, data);
        xor_apply(&f->key, offset, f->scratch.data, f->scratch.len);
        data = buffer_span(&f->scratch);
    }
    result = file_write_at(fd, path, offset, data.data, data.len, e);
    if (result == RESULT_OK) send_early(&f->appended[kind], data.len);
    return result;
}

static enum result files_write(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, struct span data,
                               struct error *e)
{
    struct flat_files *f = ctx;
    pthread_mutex_lock(&f->lock);
    enum result result = write_locked(f, kind, file, offset, data, e);
    pthread_mutex_unlock(&f->lock);
    return result;
}

/* A file that may not be written to, and was not: another program's, or one that its owner has locked. */
static bool is_locked(const struct flat_files *f, enum flat_kind kind, uint32_t file, const char *path)
{
    const struct appended *a = &f->appended[kind];
    if ((a->fd >= 0 && a->file == file) || access(path, W_OK) == 0) return false;
    return errno == EACCES || errno == EPERM || errno == EROFS;
}

static enum result files_sync(void *ctx, enum flat_kind kind, uint32_t file, uint64_t size, bool finalize,
                              struct error *e)
{
    struct flat_files *f = ctx;
    char path[PATH_BYTES];
    int fd;
    file_path(path, f, kind, file);
    pthread_mutex_lock(&f->lock);
    if (is_locked(f, kind, file, path)) {
        pthread_mutex_unlock(&f->lock);
        return RESULT_OK;
    }
    enum result result = open_appended(f, kind, file, path, false, &fd, e);
    if (result == RESULT_OK && finalize && ftruncate(fd, (off_t)size))
        result = system_error(e, "Cannot truncate", path);
    if (result == RESULT_OK && fsync(fd)) result = system_error(e, "Cannot sync", path);
    if (finalize || result != RESULT_OK) close_appended(&f->appended[kind]);
    pthread_mutex_unlock(&f->lock);
    return result;
}

static enum result files_remove(void *ctx, enum flat_kind kind, uint32_t file, struct error *e)
{
    struct flat_files *f = ctx;
    char path[PATH_BYTES];
    file_path(path, f, kind, file);
    if (f->read_only) return error_set(e, RESULT_IO, "Cannot remove %s: the folder was opened for reading only", path);
    pthread_mutex_lock(&f->lock);
    if (f->appended[kind].file == file) close_appended(&f->appended[kind]);
    pthread_mutex_unlock(&f->lock);
    if (!unlink(path) || errno == ENOENT) return RESULT_OK;
    return system_error(e, "Cannot remove", path);
}

static enum result files_size(void *ctx, enum flat_kind kind, uint32_t file, uint64_t *bytes, struct error *e)
{
    char path[PATH_BYTES];
    struct stat st;
    file_path(path, ctx, kind, file);
    if (stat(path, &st)) return system_error(e, "Cannot find", path);
    *bytes = (uint64_t)st.st_size;
    return RESULT_OK;
}

/* The number in "blkNNNNN.dat", five digits or more; false where NAME is something else. */
static bool parse_name(const char *name, const char *prefix, uint32_t *file)
{
    size_t len = strlen(name);
    if (len < 12 || len > 17 || strncmp(name, prefix, 3) || strcmp(name + len - 4, ".dat")) return false;
    uint64_t n = 0;
    for (const char *p = name + 3; p < name + len - 4; p++) {
        if (*p < '0' || *p > '9') return false;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    if (n >= UINT32_MAX) return false;
    *file = (uint32_t)n;
    return true;
}

static uint32_t files_count(void *ctx, enum flat_kind kind)
{
    const struct flat_files *f = ctx;
    DIR *dir = opendir(f->folder);
    uint32_t count = 0, file;
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (parse_name(entry->d_name, prefixes[kind], &file) && file >= count) count = file + 1;
    closedir(dir);
    return count;
}

static const struct flat_ops files_ops = {
    .read = files_read,
    .write = files_write,
    .sync = files_sync,
    .remove = files_remove,
    .size = files_size,
    .count = files_count,
};

/* ---- opening --------------------------------------------------------------------------------------------------- */

/* A stored key has priority. A new one is used only where no file was written without it. */
static enum result find_key(struct flat_files *f, const uint8_t wanted[8], struct error *e)
{
    enum result result = xor_key_read(&f->key, f->folder, e);
    if (result == RESULT_OK && !wanted && !xor_key_is_zero(&f->key)) {
        char hex[17];
        hex_encode(hex, f->key.bytes, sizeof(f->key.bytes));
        return error_set(e, RESULT_INVALID,
                         "The blocksdir XOR-key can not be disabled when a random key was already stored! "
                         "Stored key: '%s', stored path: '%s/xor.dat'.",
                         hex, f->folder);
    }
    if (result != RESULT_NOT_FOUND) return result;
    f->key = (struct xor_key){0};
    if (f->read_only) return RESULT_OK;
    if (wanted && files_count(f, FLAT_BLOCKS) == 0 && files_count(f, FLAT_UNDO) == 0)
        memcpy(f->key.bytes, wanted, sizeof(f->key.bytes));
    return xor_key_create(&f->key, f->folder, e);
}

static enum result check_folder(const struct flat_files *f, struct error *e)
{
    struct stat st;
    if (strlen(f->folder) > PATH_BYTES - 32)
        return error_set(e, RESULT_INVALID, "The path %.200s is too long", f->folder);
    if (!f->read_only && mkdir(f->folder, 0700) && errno != EEXIST)
        return system_error(e, "Cannot create folder", f->folder);
    if (stat(f->folder, &st)) return system_error(e, "Cannot open folder", f->folder);
    if (!S_ISDIR(st.st_mode)) return error_set(e, RESULT_IO, "%s is not a folder", f->folder);
    if (!f->read_only && access(f->folder, W_OK)) return system_error(e, "Cannot write in folder", f->folder);
    return RESULT_OK;
}

static void files_free(struct flat_files *f)
{
    for (int i = 0; i < KINDS; i++) close_appended(&f->appended[i]);
    pthread_mutex_destroy(&f->lock);
    buffer_clear(&f->scratch);
    free(f->folder);
    free(f);
}

enum result flat_files_open(struct flat_store *out, const char *folder, const uint8_t key[8], bool read_only,
                            struct log *log, struct error *e)
{
    struct flat_files *f = mem_calloc(1, sizeof(*f));
    f->folder = mem_strdup(folder);
    f->read_only = read_only;
    f->log = log;
    for (int i = 0; i < KINDS; i++) f->appended[i].fd = -1;
    pthread_mutex_init(&f->lock, NULL);
    enum result result = check_folder(f, e);
    if (result == RESULT_OK) result = find_key(f, key, e);
    *out = (struct flat_store){0};
    if (result != RESULT_OK) {
        files_free(f);
        return result;
    }
    char hex[17];
    hex_encode(hex, f->key.bytes, sizeof(f->key.bytes));
    log_info(log, "Using obfuscation key for blocksdir *.dat files (%s): '%s'", folder, hex);
    *out = (struct flat_store){.ops = &files_ops, .ctx = f};
    return RESULT_OK;
}

void flat_files_close(struct flat_store *s)
{
    if (s->ctx) files_free(s->ctx);
    *s = (struct flat_store){0};
}
