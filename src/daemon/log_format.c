/* The text of a log line. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/log_sink.h"

static const char *const level_names[] = {
    [LOG_TRACE] = "trace", [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error",
};

static void put_time(const struct log_sink *sink, int64_t time_us, struct buffer *out)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm;
    char text[32];
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm)) return;
    buffer_put_str(out, text);
    if (sink->micros) buffer_printf(out, ".%06d", (int)(time_us % 1000000));
    buffer_put_str(out, "Z ");
}

/* The name of a source file from src/ on. */
static const char *short_file(const char *file)
{
    const char *found = NULL;
    for (const char *at = file; (at = strstr(at, "/src/")) != NULL; at++) found = at + 1;
    return found ? found : file;
}

/* "[net] ", "[net:trace] ", "[warning] "; information without a category has none. */
static void put_prefix(const struct log_sink *sink, enum log_level level, enum log_category category,
                       struct buffer *out)
{
    bool named = sink->always_level || category != LOGC_ALL;
    if (!named && level == LOG_INFO) return;
    buffer_put_u8(out, '[');
    if (named) buffer_put_str(out, log_category_name(category));
    if (sink->always_level || !named || level != LOG_DEBUG) {
        if (named) buffer_put_u8(out, ':');
        buffer_put_str(out, level_names[level]);
    }
    buffer_put_str(out, "] ");
}

/* Control characters as \xNN, so that nobody writes to the owner's terminal. */
static void put_text(const char *text, struct buffer *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= 32 && c != 127) || c == '\n') {
            buffer_put_u8(out, c);
        } else {
            buffer_printf(out, "\\x%02x", c);
        }
    }
}

void log_sink_format(const struct log_sink *sink, const struct log_entry *entry, struct buffer *out)
{
    if (sink->timestamps) put_time(sink, entry->time_us, out);
    if (sink->thread_names) buffer_printf(out, "[%s] ", *entry->thread ? entry->thread : "unknown");
    if (sink->source_locations && entry->source) {
        buffer_printf(out, "[%s:%d] [%s] ", short_file(entry->source->file), entry->source->line,
                      entry->source->function);
    }
    put_prefix(sink, entry->level, entry->category, out);
    put_text(entry->text, out);
    if (!out->len || out->data[out->len - 1] != '\n') buffer_put_u8(out, '\n');
}
