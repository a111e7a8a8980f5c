/* A temporary folder for one test. */
#ifndef CAIRN_TEST_STORE_FOLDER_H
#define CAIRN_TEST_STORE_FOLDER_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
    char path[200];
    char *file[4]; /* the last names made */
    unsigned turn;
};

static inline void folder_make(struct folder *f)
{
    const char *base = getenv("TMPDIR");
    *f = (struct folder){0};
    snprintf(f->path, sizeof(f->path), "%s/cairn_test_XXXXXX", base ? base : "/tmp");
    cr_assert(mkdtemp(f->path), "%s", f->path);
}

/* The path of NAME in it; good for three further calls. */
static inline const char *folder_file(struct folder *f, const char *name)
{
    char **out = &f->file[f->turn++ % 4];
    free(*out);
    cr_assert(asprintf(out, "%s/%s", f->path, name) > 0);
    return *out;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void folder_remove(struct folder *f)
{
    for (int i = 0; i < 4; i++) free(f->file[i]);
    nftw(f->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
