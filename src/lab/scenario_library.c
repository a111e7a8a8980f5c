/* Scenario files on the disk, and the folder of them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "lab/scenario.h"

#ifndef CAIRN_LAB_SOURCE
#define CAIRN_LAB_SOURCE ""
#endif
#ifndef CAIRN_LAB_INSTALLED
#define CAIRN_LAB_INSTALLED "/usr/local/share/cairn/lab"
#endif

static enum result read_file(struct buffer *out, const char *path, struct error *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return error_set(e, errno == ENOENT ? RESULT_NOT_FOUND : RESULT_IO, "cannot open %s: %s", path,
                         strerror(errno));
    /* One byte more than is allowed: the parser says that it is too long. */
    uint8_t *to = buffer_reserve(out, LAB_SCENARIO_MAX + 1);
    out->len = fread(to, 1, LAB_SCENARIO_MAX + 1, f);
    bool failed = ferror(f);
    int code = errno;
    fclose(f);
    return failed ? error_set(e, RESULT_IO, "cannot read %s: %s", path, strerror(code)) : RESULT_OK;
}

static void rename_to_path(struct lab_scenario *s, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(s->name, sizeof(s->name), "%s", slash ? slash + 1 : path);
    char *dot = strrchr(s->name, '.');
    if (dot && dot != s->name) *dot = '\0';
}

enum result lab_scenario_load(struct lab_scenario *out, const char *path, struct error *e)
{
    struct buffer text = {0};
    memset(out, 0, sizeof(*out));
    enum result r = read_file(&text, path, e);
    if (!r) r = lab_scenario_parse(out, path, buffer_span(&text), e);
    rename_to_path(out, path);
    buffer_clear(&text);
    return r;
}

/* ---- the folder ---- */

static bool is_scenario(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".lab") == 0;
}

/* Numbers in names in their order: lesson-2 before lesson-10. */
static int by_name(const void *a, const void *b)
{
    return strverscmp(((const struct lab_scenario *)a)->name, ((const struct lab_scenario *)b)->name);
}

static enum result add(struct lab_library *l, const char *folder, const char *file, struct error *e)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
        return error_set(e, RESULT_INVALID, "the path is too long: %.200s", path);
    l->items = mem_grow(l->items, &l->cap, l->count + 1, sizeof(*l->items));
    return lab_scenario_load(&l->items[l->count++], path, e);
}

enum result lab_library_load(struct lab_library *out, const char *folder, struct error *e)
{
    memset(out, 0, sizeof(*out));
    DIR *d = opendir(folder);
    if (!d) return error_set(e, RESULT_IO, "cannot open %s: %s", folder, strerror(errno));
    enum result r = RESULT_OK;
    for (struct dirent *entry; !r && (entry = readdir(d));)
        if (is_scenario(entry->d_name)) r = add(out, folder, entry->d_name, e);
    closedir(d);
    if (out->count) qsort(out->items, out->count, sizeof(*out->items), by_name);
    return r;
}

void lab_library_clear(struct lab_library *l)
{
    for (size_t i = 0; i < l->count; i++) lab_scenario_clear(&l->items[i]);
    free(l->items);
    memset(l, 0, sizeof(*l));
}

const struct lab_scenario *lab_library_find(const struct lab_library *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].name, name) == 0) return &l->items[i];
    return NULL;
}

static bool is_folder(const char *path)
{
    struct stat s;
    return *path && stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

const char *lab_library_folder(char *out, size_t size)
{
    const char *chosen = getenv("CAIRN_LAB_DIR");
    const char *const places[] = {CAIRN_LAB_SOURCE, CAIRN_LAB_INSTALLED};
    for (size_t i = 0; !chosen && i < ARRAY_LEN(places); i++)
        if (is_folder(places[i])) chosen = places[i];
    if (!chosen || snprintf(out, size, "%s", chosen) >= (int)size) return NULL;
    return out;
}
