/* What is to be imported at start-up: our own files for -reindex, the user's for -loadblock. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/daemon.h"
#include "store/store.h"

/* A foreign file as a source of the import. */
struct foreign {
    struct block_file *file;
    char *path;
};

static enum result foreign_read(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e)
{
    return block_file_read(((struct foreign *)ctx)->file, offset, out, len, got, e);
}

static void foreign_close(void *ctx)
{
    struct foreign *f = ctx;
    block_file_close(f->file);
    free(f->path);
    free(f);
}

static void add_file(struct daemon *d, const char *path)
{
    struct error e;
    struct block_file *file;
    if (block_file_open(&file, path, &e)) {
        log_warning(&d->log.log, "Could not open blocks file %s: %s", path, e.text);
        return;
    }
    struct foreign *f = mem_calloc(1, sizeof(*f));
    f->file = file;
    f->path = mem_strdup(path);
    import_add(d->import, &(struct import_source){.read = foreign_read,
                                                  .close = foreign_close,
                                                  .ctx = f,
                                                  .size = block_file_size(file),
                                                  .own_file = -1,
                                                  .name = f->path});
}

static int is_block_file(const struct dirent *entry)
{
    unsigned number;
    int end = 0;
    return sscanf(entry->d_name, "blk%5u.dat%n", &number, &end) == 1 && end && !entry->d_name[end];
}

/* Every blk file of a folder, in order of their numbers. */
static void add_folder(struct daemon *d, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_block_file, alphasort);
    for (int i = 0; i < count; i++) {
        char *file = path_join(path, entries[i]->d_name);
        add_file(d, file);
        free(file);
        free(entries[i]);
    }
    if (count < 0) return;
    if (!count) log_warning(&d->log.log, "There are no block files in %s", path);
    free(entries);
}

bool setup_import(struct daemon *d, struct start_error *error)
{
    (void)error;
    size_t count;
    log_info(&d->log.log, "initload thread start"); /* no thread here, but what tools wait for */
    const char **paths = args_list(&d->args, "loadblock", &count);
    if (count || d->node->chain->reindexing) d->import = import_new(d->node);
    if (d->node->chain->reindexing) import_add_own_files(d->import);
    for (size_t i = 0; i < count; i++) {
        char *path = realpath(paths[i], NULL);
        if (path && path_is_dir(path))
            add_folder(d, path);
        else
            add_file(d, path ? path : paths[i]);
        free(path);
    }
    free(paths);
    return true;
}
