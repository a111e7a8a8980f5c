/* peers.dat, banlist.json and anchors.dat: read when the node starts, and written so that a crash leaves either the
 * old file or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/network_setup.h"

static bool replace_file(const char *path, struct span data, struct log *log)
{
    struct error e;
    if (!file_replace(path, data, &e)) return true;
    log_error(log, "%s", e.text);
    return false;
}

/* ---- peers.dat ---- */

void write_addresses(struct daemon *d, const struct addrman *addrman)
{
    struct buffer data = {0};
    int64_t start_us = clock_steady_us();
    char *path = path_join(d->datadir, "peers.dat");
    addrman_write(addrman, d->options.params.magic, &data);
    if (replace_file(path, buffer_span(&data), &d->log.log))
        log_debug(&d->log.log, LOGC_NET, "Flushed %zu addresses to peers.dat  %lldms",
                  addrman_size(addrman, NET_COUNT, ADDRMAN_BOTH), (long long)(clock_steady_us() - start_us) / 1000);
    free(path);
    buffer_clear(&data);
}

/* The file is of a later version: it is kept beside the new one. */
static bool begin_anew(struct daemon *d, const char *path, struct addrman *addrman, struct start_error *error)
{
    struct buffer backup = {0};
    buffer_printf(&backup, "%s.bak", path);
    bool ok = rename(path, buffer_text(&backup)) == 0;
    buffer_clear(&backup);
    if (!ok)
        return start_fail(error, "Failed to rename invalid peers.dat file. Please move or delete it and try again.");
    log_warning(&d->log.log,
                "Creating new peers.dat because the file version was not compatible (\"%s\"). Original backed up to "
                "peers.dat.bak",
                path);
    write_addresses(d, addrman);
    return true;
}

bool read_addresses(struct daemon *d, struct addrman *addrman, struct start_error *error)
{
    struct buffer data = {0};
    struct error e;
    int64_t start_us = clock_steady_us();
    char *path = path_join(d->datadir, "peers.dat");
    bool ok = true;
    if (!file_read(path, &data)) {
        log_info(&d->log.log, "Creating peers.dat because the file was not found (\"%s\")", path);
        write_addresses(d, addrman);
    } else {
        enum result r = addrman_read(addrman, d->options.params.magic, buffer_span(&data), &e);
        ok = r == RESULT_OK || (r == RESULT_INVALID && begin_anew(d, path, addrman, error));
        if (r == RESULT_OK)
            log_info(&d->log.log, "Loaded %zu addresses from peers.dat  %lldms",
                     addrman_size(addrman, NET_COUNT, ADDRMAN_BOTH), (long long)(clock_steady_us() - start_us) / 1000);
        else if (r != RESULT_INVALID)
            buffer_printf(&error->text,
                          "Invalid or corrupt peers.dat (%s). If you believe this is a bug, please report it to the "
                          "maintainers. As a workaround, you can move the file (\"%s\") out of the way (rename, move, "
                          "or delete) to have a new one created on the next start.",
                          e.text, path);
    }
    free(path);
    buffer_clear(&data);
    return ok;
}

/* ---- banlist.json ---- */

void write_bans(struct daemon *d, struct bans *bans, int64_t now_s)
{
    struct buffer text = {0};
    int64_t start_us = clock_steady_us();
    bans_sweep(bans, now_s);
    if (!bans->changed) return;
    char *path = path_join(d->datadir, "banlist.json");
    bans_write(bans, &text);
    bans->changed = !replace_file(path, buffer_span(&text), &d->log.log);
    log_debug(&d->log.log, LOGC_NET, "Flushed %zu banned node addresses/subnets to disk  %lldms", bans->count,
              (long long)(clock_steady_us() - start_us) / 1000);
    free(path);
    buffer_clear(&text);
}

void read_bans(struct daemon *d, struct bans *bans, bool cjdns, int64_t now_s)
{
    struct buffer text = {0};
    struct error e;
    size_t skipped = 0;
    int64_t start_us = clock_steady_us();
    char *path = path_join(d->datadir, "banlist.json");
    bool there = file_read(path, &text), ok = there && !bans_read(bans, buffer_span(&text), cjdns, &skipped, &e);
    if (there && !ok) log_warning(&d->log.log, "Cannot load banlist %s: %s", path, e.text);
    if (skipped) log_warning(&d->log.log, "%zu entries of %s make no sense and are left out", skipped, path);
    if (ok) {
        bans_sweep(bans, now_s);
        log_debug(&d->log.log, LOGC_NET, "Loaded %zu banned node addresses/subnets  %lldms", bans->count,
                  (long long)(clock_steady_us() - start_us) / 1000);
    } else {
        log_info(&d->log.log, "Recreating the banlist database");
        bans->changed = true;
    }
    free(path);
    buffer_clear(&text);
    write_bans(d, bans, now_s);
}

/* ---- anchors.dat ---- */

void read_anchors(struct daemon *d, struct network_setup *s)
{
    struct buffer data = {0};
    struct error e;
    char *path = path_join(d->datadir, "anchors.dat");
    s->anchor_count = 0;
    if (file_read(path, &data)) {
        if (anchors_read(s->anchors, MAX_ANCHORS, &s->anchor_count, d->options.params.magic, buffer_span(&data), &e))
            s->anchor_count = 0;
        else
            log_info(&d->log.log, "Loaded %zu addresses from \"anchors.dat\"", s->anchor_count);
    }
    unlink(path);
    free(path);
    buffer_clear(&data);
}

void write_anchors(struct daemon *d, const struct network_setup *s)
{
    struct buffer data = {0};
    char *path = path_join(d->datadir, "anchors.dat");
    log_info(&d->log.log, "DumpAnchors: Flush %zu outbound block-relay-only peer addresses to anchors.dat",
             s->anchor_count);
    anchors_write(s->anchors, s->anchor_count, d->options.params.magic, &data);
    (void)replace_file(path, buffer_span(&data), &d->log.log);
    free(path);
    buffer_clear(&data);
}
