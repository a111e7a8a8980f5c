/* Where log lines go. */
#include "daemon/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

enum {
    EARLY_MAX = 10000,         /* lines kept before the file is open */
    QUOTA_BYTES = 1024 * 1024, /* that one place in the source may write within QUOTA_SECONDS */
    QUOTA_SECONDS = 3600,
    QUOTA_SLOTS = 1024, /* a power of two; more places than that share their quota */
    SHRINK_LIMIT = 11 * 1000000,
    SHRINK_KEEP = 10 * 1000000,
};

struct log_early {
    struct log_entry entry;
    struct log_source source;
    bool has_source;
};

struct log_quota {
    const char *file; /* NULL: free */
    int line;
    int64_t window_us; /* start */
    uint64_t bytes;
    uint64_t dropped;
};

static void write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return; /* a full disk must not stop the node; the node sees it where it stores blocks */
        at += n;
        len -= (size_t)n;
    }
}

static void emit(struct log_sink *sink, const struct log_entry *entry, bool to_file)
{
    struct buffer line = {0};
    log_sink_format(sink, entry, &line);
    if (sink->to_console) {
        fwrite(line.data, 1, line.len, stdout);
        fflush(stdout);
    }
    if (sink->fd >= 0 && to_file) write_all(sink->fd, line.data, line.len);
    buffer_clear(&line);
}

static void early_free(struct log_early *e)
{
    free((char *)e->entry.text);
    free((char *)e->entry.thread);
}

static void early_add(struct log_sink *sink, const struct log_entry *entry)
{
    if (sink->early_count == EARLY_MAX) {
        sink->early_dropped++;
        return;
    }
    sink->early = mem_grow(sink->early, &sink->early_cap, sink->early_count + 1, sizeof(*sink->early));
    struct log_early *e = &sink->early[sink->early_count++];
    *e = (struct log_early){.entry = *entry};
    e->entry.text = mem_strdup(entry->text);
    e->entry.thread = mem_strdup(entry->thread);
    if (entry->source) e->source = *entry->source;
    e->has_source = entry->source != NULL;
}

/* The name of the calling thread; the first one is "init". */
static void thread_name(char name[16])
{
    if (getpid() == gettid() || pthread_getname_np(pthread_self(), name, 16) != 0) strcpy(name, "init");
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Whether the file still takes a line of this place; LEN counts against its quota. Unconditional lines only: debug
 * lines are there because somebody asked for them. */
static bool quota_allows(struct log_sink *sink, const struct log_entry *entry)
{
    if (!sink->quotas || !entry->source || entry->level < LOG_INFO) return true;
    size_t slot = ((uintptr_t)entry->source->file / 8 * 31 + (size_t)entry->source->line) & (QUOTA_SLOTS - 1);
    struct log_quota *q = &sink->quotas[slot];
    struct log_entry note = *entry;
    char text[300];
    note.level = LOG_WARNING;
    note.category = LOGC_ALL;
    note.text = text;
    if (!q->file || entry->time_us - q->window_us > (int64_t)QUOTA_SECONDS * 1000000 || entry->time_us < q->window_us) {
        uint64_t dropped = q->dropped;
        *q = (struct log_quota){.file = entry->source->file, .line = entry->source->line, .window_us = entry->time_us};
        if (dropped) {
            snprintf(text, sizeof(text), "Restarting logging from %s:%d: %llu bytes were dropped.", q->file, q->line,
                     (unsigned long long)dropped);
            emit(sink, &note, true);
        }
    }
    size_t len = strlen(entry->text);
    if (q->dropped || q->bytes + len > QUOTA_BYTES) {
        if (!q->dropped) {
            snprintf(text, sizeof(text),
                     "Excessive logging detected from %s:%d: more than %d bytes within an hour. The file gets no "
                     "further lines of it until the hour is over.",
                     q->file, q->line, QUOTA_BYTES);
            emit(sink, &note, true);
        }
        q->dropped += len;
        return false;
    }
    q->bytes += len;
    return true;
}

static void sink_write(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                       const char *text)
{
    struct log_sink *sink = ctx;
    char thread[16];
    thread_name(thread);
    struct log_entry entry = {now_us(), level, category, source, thread, text};
    pthread_mutex_lock(&sink->lock);
    bool wanted = level >= LOG_INFO || level >= sink->level[category];
    if (wanted && !sink->open) {
        early_add(sink, &entry);
    } else if (wanted) {
        emit(sink, &entry, quota_allows(sink, &entry));
    }
    pthread_mutex_unlock(&sink->lock);
}

void log_sink_init(struct log_sink *sink)
{
    *sink = (struct log_sink){.fd = -1, .timestamps = true};
    sink->log = (struct log){.write = sink_write, .ctx = sink, .min_debug = LOG_DEBUG};
    for (int c = 0; c < LOGC_COUNT; c++) sink->level[c] = LOG_DEBUG;
    pthread_mutex_init(&sink->lock, NULL);
}

static void early_clear(struct log_sink *sink)
{
    for (size_t i = 0; i < sink->early_count; i++) early_free(&sink->early[i]);
    free(sink->early);
    sink->early = NULL;
    sink->early_count = sink->early_cap = 0;
}

void log_sink_clear(struct log_sink *sink)
{
    early_clear(sink);
    if (sink->fd >= 0) close(sink->fd);
    free(sink->path);
    free(sink->quotas);
    pthread_mutex_destroy(&sink->lock);
    *sink = (struct log_sink){.fd = -1};
}

void log_sink_configure(struct log_sink *sink, const struct args *args)
{
    free(sink->path);
    sink->path = args_file(args, "debuglogfile");
    sink->to_console = args_bool_or(args, "printtoconsole", !args_bool(args, "daemon"));
    sink->timestamps = args_bool(args, "logtimestamps");
    sink->micros = args_bool(args, "logtimemicros");
    sink->thread_names = args_bool(args, "logthreadnames");
    sink->source_locations = args_bool(args, "logsourcelocations");
    sink->always_level = args_bool(args, "loglevelalways");
    free(sink->quotas);
    sink->quotas = args_bool(args, "logratelimit") ? mem_calloc(QUOTA_SLOTS, sizeof(*sink->quotas)) : NULL;
}

static int open_log(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void write_early(struct log_sink *sink)
{
    if (sink->fd >= 0) write_all(sink->fd, "\n\n\n\n\n", 5);
    for (size_t i = 0; i < sink->early_count; i++) {
        struct log_early *e = &sink->early[i];
        e->entry.source = e->has_source ? &e->source : NULL;
        emit(sink, &e->entry, true);
    }
    early_clear(sink);
    sink->open = true;
}

static void log_surroundings(struct log_sink *sink, const struct args *args)
{
    struct log *log = &sink->log;
    char *standard = args_default_datadir();
    char *dir = args_chain_dir(args);
    log_info(log, "Default data directory %s", standard);
    log_info(log, "Using data directory %s", dir ? dir : "(none)");
    if (sink->early_dropped) {
        log_info(log, "Early logging buffer overflowed, %zu log lines discarded.", sink->early_dropped);
    }
    if (!args->config_path) {
        log_info(log, "Config file: <disabled>");
    } else if (access(args->config_path, F_OK) == 0) {
        log_info(log, "Config file: %s", args->config_path);
    } else {
        log_info(log, "Config file: %s (not found, skipping)", args->config_path);
    }
    args_log(args);
    free(dir);
    free(standard);
}

bool log_sink_open(struct log_sink *sink, const struct args *args, struct buffer *error)
{
    bool shrink = args_bool_or(args, "shrinkdebugfile", sink->log.debug_categories == 0);
    if (sink->path) {
        if (shrink && !log_file_shrink(sink->path, SHRINK_LIMIT, SHRINK_KEEP)) {
            log_warning(&sink->log, "Failed to shrink debug log file %s", sink->path);
        }
        sink->fd = open_log(sink->path);
        if (sink->fd < 0) {
            buffer_printf(error, "Could not open debug log file %s", sink->path);
            return false;
        }
    }
    pthread_mutex_lock(&sink->lock);
    write_early(sink);
    pthread_mutex_unlock(&sink->lock);
    log_surroundings(sink, args);
    return true;
}

void log_sink_reopen(struct log_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    int fd = sink->open && sink->path ? open_log(sink->path) : -1;
    if (fd >= 0) {
        close(sink->fd);
        sink->fd = fd;
    }
    pthread_mutex_unlock(&sink->lock);
}

bool log_file_shrink(const char *path, int64_t limit, int64_t keep)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= limit) return true;
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0) return false;
    char *tail = mem_alloc((size_t)keep);
    size_t len = 0;
    ssize_t n = 1;
    while (len < (size_t)keep && n > 0) {
        n = pread(in, tail + len, (size_t)keep - len, st.st_size - keep + (off_t)len);
        if (n > 0) len += (size_t)n;
    }
    close(in);
    int out = n >= 0 ? open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
    if (out >= 0) {
        write_all(out, tail, len);
        close(out);
    }
    free(tail);
    return out >= 0;
}
