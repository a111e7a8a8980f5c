/* Where an import stands: one rewritten line on a terminal, one line every few seconds in the log. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/daemon.h"

enum { TERMINAL_EVERY_US = 200000, LOG_EVERY_US = 5000000 };

void progress_begin(struct progress *p, const struct daemon *d)
{
    *p = (struct progress){.started_us = clock_us(), .last_us = clock_us()};
    p->last_blocks = d->node->chain->blocks_connected;
    p->last_txs = d->node->chain->txs_connected;
    p->terminal = !d->log.to_console && isatty(STDERR_FILENO);
}

static void format_eta(char *out, size_t size, double seconds)
{
    if (!(seconds >= 0) || seconds > 1e7)
        snprintf(out, size, "?");
    else if (seconds >= 3600)
        snprintf(out, size, "%dh%02dm", (int)(seconds / 3600), (int)(seconds / 60) % 60);
    else
        snprintf(out, size, "%dm%02ds", (int)(seconds / 60), (int)seconds % 60);
}

/* Share of the work of the best chain that we know of. */
static double work_done(const struct chain *c)
{
    if (!chain_tip(c) || !c->tree.best_header) return 1;
    return u256_to_double(chain_tip(c)->header.chainwork) / u256_to_double(c->tree.best_header->header.chainwork);
}

static void format_line(const struct progress *p, const struct daemon *d, int64_t now, char *out, size_t size)
{
    const struct chain *c = d->node->chain;
    struct import_progress at = {0};
    if (d->import) import_progress(d->import, &at);
    double span = (double)(now - p->last_us) / 1e6, whole = (double)(now - p->started_us) / 1e6;
    double done = at.bytes_total ? (double)at.bytes_done / (double)at.bytes_total : work_done(c);
    char eta[16];
    format_eta(eta, sizeof(eta), done > 0 ? whole * (1 - done) / done : -1);
    snprintf(out, size, "height %d, %.0f blocks/s, %.0f tx/s, %.1f%%, eta %s, cache %.0f MiB", chain_height(c),
             span > 0 ? (double)(c->blocks_connected - p->last_blocks) / span : 0,
             span > 0 ? (double)(c->txs_connected - p->last_txs) / span : 0, done * 100, eta,
             (double)coins_memory(c->coins) / (1 << 20));
}

void progress_show(struct progress *p, struct daemon *d)
{
    int64_t now = clock_us();
    if (now - p->last_us < (p->terminal ? TERMINAL_EVERY_US : LOG_EVERY_US)) return;
    char line[200];
    format_line(p, d, now, line, sizeof(line));
    if (p->terminal) {
        fprintf(stderr, "\r\033[K%s: %s", d->import ? "Importing" : "Connecting", line);
        fflush(stderr);
        p->line_open = true;
    } else {
        log_info(&d->log.log, "%s: %s", d->import ? "Importing" : "Connecting", line);
    }
    p->last_us = now;
    p->last_blocks = d->node->chain->blocks_connected;
    p->last_txs = d->node->chain->txs_connected;
}

void progress_end(struct progress *p, struct daemon *d)
{
    struct import_progress at;
    import_progress(d->import, &at);
    if (p->line_open) fprintf(stderr, "\r\033[K");
    p->line_open = false;
    log_info(&d->log.log,
             "Import done in %.1f s: %llu blocks found, %llu new, %llu refused, %llu damaged places; height %d",
             (double)(clock_us() - p->started_us) / 1e6, (unsigned long long)at.blocks, (unsigned long long)at.accepted,
             (unsigned long long)at.rejected, (unsigned long long)at.garbage, chain_height(d->node->chain));
}
