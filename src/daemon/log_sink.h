/* Where log lines go: a file that is appended to, standard output, or both. Lines that come before the file is open
 * wait in memory. The format is Bitcoin Core's, which scripts read: 2026-01-31T12:00:00Z [thread] [src/file.c:12]
 * [function] [net] message */
#ifndef CAIRN_DAEMON_LOG_SINK_H
#define CAIRN_DAEMON_LOG_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/log.h"
#include "daemon/args.h"

struct log_early;
struct log_quota;

struct log_sink {
    struct log log; /* hand out a pointer to this */
    pthread_mutex_t lock;
    char *path; /* NULL: no file */
    int fd;
    bool open; /* early lines have been written */
    bool to_console;
    bool timestamps;
    bool micros;
    bool thread_names;
    bool source_locations;
    bool always_level;
    enum log_level level[LOGC_COUNT]; /* lowest level of each category that is on */
    struct log_early *early;          /* lines before the file was open, oldest first */
    size_t early_count;
    size_t early_cap;
    size_t early_dropped;
    struct log_quota *quotas; /* -logratelimit: what each place in the source wrote; NULL where off */
};

/* A line before it is formatted. */
struct log_entry {
    int64_t time_us;
    enum log_level level;
    enum log_category category;
    const struct log_source *source;
    const char *thread;
    const char *text;
};

void log_sink_init(struct log_sink *sink);
/* Writes early lines nowhere, closes the file. */
void log_sink_clear(struct log_sink *sink);

/* Takes the options that say where and how to write. */
void log_sink_configure(struct log_sink *sink, const struct args *args);

/* Takes -debug, -debugexclude and -loglevel; false (ERROR filled) where they name what there is not. */
MUST_USE bool log_sink_set_categories(struct log_sink *sink, const struct args *args, struct buffer *error);

/* Opens the file, shortened first where it is large and -shrinkdebugfile says so, and writes the early lines; then the
 * directories, the configuration file and all settings. */
MUST_USE bool log_sink_open(struct log_sink *sink, const struct args *args, struct buffer *error);

/* Opens the file again under its name (SIGHUP, after a log rotation). */
void log_sink_reopen(struct log_sink *sink);

/* Appends one formatted line with its newline to OUT. */
void log_sink_format(const struct log_sink *sink, const struct log_entry *entry, struct buffer *out);

/* Keeps the last KEEP bytes of a file that is larger than LIMIT; true also where there is nothing to do. */
MUST_USE bool log_file_shrink(const char *path, int64_t limit, int64_t keep);

#endif
