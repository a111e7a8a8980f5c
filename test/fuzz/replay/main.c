/* Runs a fuzz target over the files of a folder, without libFuzzer: any compiler, any build. The file at hand is named
 * first, so that it is known where it stopped. The last line is "N passed, 0 failed". */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool replay(const char *folder, const char *name)
{
    char path[4096];
    uint8_t chunk[4096];
    struct buffer data = {0};
    size_t got;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    printf("%s\n", path);
    fflush(stdout);
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    while ((got = fread(chunk, 1, sizeof(chunk), f)) > 0) buffer_put(&data, chunk, got);
    bool ok = !ferror(f);
    fclose(f);
    /* A block of its own size, so that sanitizers see where it ends. */
    uint8_t *exact = malloc(data.len ? data.len : 1);
    if (!exact) abort();
    if (data.len) memcpy(exact, data.data, data.len);
    ok = ok && LLVMFuzzerTestOneInput(exact, data.len) == 0;
    free(exact);
    buffer_clear(&data);
    return ok;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int passed = 0, failed = 0;
    if (argc != 2) {
        fprintf(stderr, "%s FOLDER\n", argv[0]);
        return 2;
    }
    int count = scandir(argv[1], &entries, is_visible, alphasort);
    if (count < 0) {
        perror(argv[1]);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        if (replay(argv[1], entries[i]->d_name))
            passed++;
        else
            failed++;
        free(entries[i]);
    }
    free(entries);
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}
