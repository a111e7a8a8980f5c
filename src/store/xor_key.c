/* xor.dat, and whole reads and writes of files. */
#include "store/xor_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool xor_key_is_zero(const struct xor_key *key)
{
    static const struct xor_key zero;
    return !memcmp(key, &zero, sizeof(zero));
}

void xor_apply(const struct xor_key *key, uint64_t offset, uint8_t *data, size_t len)
{
    if (xor_key_is_zero(key)) return;
    uint8_t turned[8];
    for (size_t i = 0; i < 8; i++) turned[i] = key->bytes[(offset + i) % 8];
    uint64_t mask, word;
    memcpy(&mask, turned, 8);
    size_t i = 0;
    for (; len - i >= 8; i += 8) {
        memcpy(&word, data + i, 8);
        word ^= mask;
        memcpy(data + i, &word, 8);
    }
    for (; i < len; i++) data[i] ^= turned[i % 8];
}

enum result system_error(struct error *e, const char *what, const char *path)
{
    int why = errno;
    if (why == ENOENT) return error_set(e, RESULT_NOT_FOUND, "%s %s: %s", what, path, strerror(why));
    if (why == ENOSPC || why == EDQUOT) return error_set(e, RESULT_FULL, "%s %s: %s", what, path, strerror(why));
    return error_set(e, RESULT_IO, "%s %s: %s", what, path, strerror(why));
}

enum result file_read_at(int fd, const char *path, uint64_t offset, uint8_t *out, size_t len, struct error *e)
{
    while (len > 0) {
        ssize_t n = pread(fd, out, len, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(e, "Cannot read", path);
        if (n == 0)
            return error_set(e, RESULT_CORRUPT, "%s ends before byte %llu", path, (unsigned long long)offset + len);
        out += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return RESULT_OK;
}

enum result file_write_at(int fd, const char *path, uint64_t offset, const uint8_t *data, size_t len, struct error *e)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(e, "Cannot write", path);
        data += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return RESULT_OK;
}

enum result folder_sync(const char *folder, struct error *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error(e, "Cannot open", folder);
    int failed = fsync(fd) && errno != EINVAL; /* some file systems do not sync folders */
    if (failed) system_error(e, "Cannot sync", folder);
    close(fd);
    return failed ? RESULT_IO : RESULT_OK;
}

static bool key_path(char out[4096], const char *folder)
{
    return snprintf(out, 4096, "%s/xor.dat", folder) < 4096;
}

enum result xor_key_read(struct xor_key *key, const char *folder, struct error *e)
{
    char path[4096];
    if (!key_path(path, folder)) return error_set(e, RESULT_INVALID, "The path %s is too long", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? RESULT_NOT_FOUND : system_error(e, "Cannot open", path);
    enum result result = file_read_at(fd, path, 0, key->bytes, sizeof(key->bytes), e);
    close(fd);
    return result;
}

enum result xor_key_create(const struct xor_key *key, const char *folder, struct error *e)
{
    char path[4096];
    if (!key_path(path, folder)) return error_set(e, RESULT_INVALID, "The path %s is too long", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return system_error(e, "Cannot create", path);
    enum result result = file_write_at(fd, path, 0, key->bytes, sizeof(key->bytes), e);
    if (result == RESULT_OK && fsync(fd)) result = system_error(e, "Cannot sync", path);
    close(fd);
    if (result != RESULT_OK) {
        unlink(path); /* half a key would be taken for one */
        return result;
    }
    return folder_sync(folder, e);
}
