/* Reads test data files. */
#include "support/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/check.h"

const char *data_folder(const char *configured)
{
    const char *env = getenv("CAIRN_TEST_DATA");
    return env && *env ? env : configured;
}

bool data_present(const char *configured, const char *what)
{
    struct stat st;
    if (!stat(data_folder(configured), &st) && S_ISDIR(st.st_mode)) return true;
    fprintf(stderr, "SKIPPED: %s: no test data at %s\n", what, data_folder(configured));
    return false;
}

static void read_plain(struct buffer *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t got;
    while ((got = fread(buffer_reserve(out, 1 << 16), 1, 1 << 16, f)) > 0) out->len += got;
    fclose(f);
}

static struct buffer unpack(struct buffer packed)
{
    struct buffer out = {0};
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {packed.data, packed.len, 0};
    size_t left = 1;
    while (in.pos < in.size || left) {
        ZSTD_outBuffer to = {buffer_reserve(&out, 1 << 16), 1 << 16, 0};
        left = ZSTD_decompressStream(stream, &to, &in);
        CHECK(!ZSTD_isError(left));
        out.len += to.pos;
        if (in.pos == in.size && to.pos == 0) break;
    }
    ZSTD_freeDStream(stream);
    buffer_clear(&packed);
    return out;
}

struct buffer data_read(const char *configured, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", data_folder(configured), name);
    struct buffer out = {0};
    read_plain(&out, path);
    size_t len = strlen(name);
    return len > 4 && !strcmp(name + len - 4, ".zst") ? unpack(out) : out;
}

json_t *data_json(const char *configured, const char *name)
{
    struct buffer text = data_read(configured, name);
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, &error);
    if (!json) {
        fprintf(stderr, "%s:%d: %s\n", name, error.line, error.text);
        exit(1);
    }
    buffer_clear(&text);
    return json;
}
