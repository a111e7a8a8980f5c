/* Public reading of blkNNNNN.dat files: network magic, little-endian length, block; repeated, with zeroes or rubbish
 * between. Where the folder has an xor.dat, every byte is obfuscated with its eight, by offset in the file. */
#include "lib/handles.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "consensus/params.h"

enum { XOR_BYTES = 8, MAX_RECORD = 4000000, MIN_RECORD = HEADER_BYTES + 1, MAX_FILE = 1 << 30 };

struct cairn_block_files {
    char *folder;
    uint8_t magic[4];
    uint8_t key[XOR_BYTES];
    int next_file;
    uint8_t *data; /* the file at hand, plain */
    size_t len, pos;
    uint64_t skipped;
};

/* The whole file NAME below FOLDER; NULL where there is none or it cannot be read. */
static uint8_t *read_file(const char *folder, const char *name, size_t *len)
{
    char path[4096];
    int written = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = written > 0 && (size_t)written < sizeof path ? fopen(path, "rb") : NULL;
    if (!f) return NULL;
    uint8_t *data = NULL;
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size >= 0 && size <= MAX_FILE && fseek(f, 0, SEEK_SET) == 0) {
        data = mem_alloc((size_t)size);
        *len = fread(data, 1, (size_t)size, f);
    }
    fclose(f);
    return data;
}

static bool load_file(struct cairn_block_files *files)
{
    char name[32];
    snprintf(name, sizeof name, "blk%05d.dat", files->next_file);
    free(files->data);
    files->pos = files->len = 0;
    files->data = read_file(files->folder, name, &files->len);
    if (!files->data) return false;
    files->next_file++;
    for (size_t i = 0; i < files->len; i++) files->data[i] ^= files->key[i % XOR_BYTES];
    return true;
}

static void load_key(struct cairn_block_files *files)
{
    size_t len = 0;
    uint8_t *key = read_file(files->folder, "xor.dat", &len);
    if (key && len == XOR_BYTES) memcpy(files->key, key, XOR_BYTES);
    free(key);
}

struct cairn_block_files *cairn_block_files_open(const char *folder, const char *network)
{
    const struct chain_params *params = chain_params_find(network);
    if (!params) return NULL;
    struct cairn_block_files *files = mem_calloc(1, sizeof *files);
    files->folder = mem_strdup(folder);
    memcpy(files->magic, params->magic, 4);
    load_key(files);
    if (!load_file(files)) {
        cairn_block_files_free(files);
        return NULL;
    }
    return files;
}

void cairn_block_files_free(struct cairn_block_files *files)
{
    if (!files) return;
    free(files->data);
    free(files->folder);
    free(files);
}

/* The next record of the file at hand: moves past it. */
static struct span next_record(struct cairn_block_files *files)
{
    while (files->len - files->pos >= 8) {
        const uint8_t *at = files->data + files->pos;
        if (memcmp(at, files->magic, 4) != 0) {
            const uint8_t *found = memmem(at, files->len - files->pos, files->magic, 4);
            files->pos = found ? (size_t)(found - files->data) : files->len;
            continue;
        }
        uint32_t size = get_le32(at + 4);
        if (size >= MIN_RECORD && size <= MAX_RECORD && size <= files->len - files->pos - 8) {
            files->pos += 8 + size;
            return span_of(at + 8, size);
        }
        files->skipped++;
        files->pos += 4;
    }
    return span_of(NULL, 0);
}

struct cairn_block *cairn_block_files_next(struct cairn_block_files *files)
{
    while (files->data) {
        struct span record = next_record(files);
        if (record.len == 0) {
            if (!load_file(files)) return NULL;
            continue;
        }
        struct cairn_block *block = cairn_block_parse(record.data, record.len);
        if (block) return block;
        files->skipped++;
        files->pos -= record.len; /* look inside: a length that lied may hide a block */
    }
    return NULL;
}

uint64_t cairn_block_files_skipped(const struct cairn_block_files *files)
{
    return files->skipped;
}
