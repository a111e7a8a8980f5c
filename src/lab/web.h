/* The page: an HTTP server (libevent) on one address of this machine, for one source. Everything that it serves is in
 * the program. doc/rooms/lab.md has the whole interface. */
#ifndef CAIRN_LAB_WEB_H
#define CAIRN_LAB_WEB_H

#include "lab/source.h"

struct lab_web;

struct lab_web_options {
    const char *address;      /* "127.0.0.1" */
    uint16_t port;            /* 0: any */
    struct lab_source source; /* must outlive the server */
    const struct lab_library *library;
    const struct lab_scenario *first; /* begins with it, paused; may be NULL */
    bool autoplay;
    unsigned jobs; /* processes for measurements */
};

MUST_USE enum result lab_web_new(struct lab_web **out, const struct lab_web_options *o, struct error *e);
uint16_t lab_web_port(const struct lab_web *w);
/* Until lab_web_stop (also from a signal handler) or SIGINT, SIGTERM. */
void lab_web_run(struct lab_web *w);
void lab_web_stop(struct lab_web *w);
void lab_web_free(struct lab_web *w);

/* A file of the page ("index.html", "lab.js", ...), from src/lab/page by way of a generated table. */
struct lab_asset {
    const char *name, *type;
    const unsigned char *data;
    size_t len;
};
extern const struct lab_asset lab_assets[];
extern const size_t lab_asset_count;

#endif
