/* Settings: directories and files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/args.h"

bool path_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_read(const char *path, struct buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n;
    do {
        n = read(fd, buffer_reserve(out, 4096), 4096);
        if (n > 0) out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    close(fd);
    return n == 0;
}

/* Resolves "", "." and ".." in an absolute path, in place. */
static void normalise(char *path)
{
    char *out = path;
    const char *at = path;
    while (*at) {
        while (*at == '/') at++;
        size_t len = strcspn(at, "/");
        if (len == 2 && at[0] == '.' && at[1] == '.') {
            while (out > path && *--out != '/') {
            }
        } else if (len > 0 && !(len == 1 && at[0] == '.')) {
            *out++ = '/';
            memmove(out, at, len);
            out += len;
        }
        at += len;
    }
    if (out == path) *out++ = '/';
    *out = '\0';
}

static char *absolute(const char *path)
{
    struct buffer b = {0};
    if (*path != '/') {
        char *cwd = getcwd(NULL, 0);
        buffer_put_str(&b, cwd ? cwd : "/");
        buffer_put_u8(&b, '/');
        free(cwd);
    }
    buffer_put_str(&b, path);
    char *out = mem_strdup(buffer_text(&b));
    buffer_clear(&b);
    normalise(out);
    return out;
}

char *path_join(const char *base, const char *path)
{
    if (*path == '/') return absolute(path);
    struct buffer b = {0};
    buffer_printf(&b, "%s/%s", base, path);
    char *out = absolute(buffer_text(&b));
    buffer_clear(&b);
    return out;
}

char *args_default_datadir(void)
{
    const char *home = getenv("HOME");
    return path_join(home && *home ? home : "/", ".bitcoin");
}

char *args_datadir(const struct args *a)
{
    const char *given = args_string(a, "datadir");
    if (!given || !*given) return args_default_datadir();
    char *path = absolute(given);
    if (path_is_dir(path)) return path;
    free(path);
    return NULL;
}

char *args_chain_dir(const struct args *a)
{
    char *base = args_datadir(a);
    if (!base) return NULL;
    char *path = path_join(base, args_chain(a)->folder);
    free(base);
    return path;
}

char *args_blocks_dir(const struct args *a)
{
    char *base;
    if (args_is_set(a, "blocksdir")) {
        base = absolute(args_string(a, "blocksdir"));
        if (!path_is_dir(base)) {
            free(base);
            return NULL;
        }
    } else {
        base = args_datadir(a);
        if (!base) return NULL;
    }
    struct buffer b = {0};
    buffer_printf(&b, "%s/blocks", args_chain(a)->folder);
    const char *relative = buffer_text(&b);
    char *path = path_join(base, *relative == '/' ? relative + 1 : relative);
    buffer_clear(&b);
    free(base);
    return path;
}

char *args_file(const struct args *a, const char *name)
{
    if (args_is_negated(a, name)) return NULL;
    const char *given = args_string(a, name);
    if (given && !*given) given = option_find(a->table, name)->fallback;
    if (!given || !*given) return NULL;
    if (*given == '/') return absolute(given);
    char *base = args_chain_dir(a);
    if (!base) return NULL;
    char *path = path_join(base, given);
    free(base);
    return path;
}
