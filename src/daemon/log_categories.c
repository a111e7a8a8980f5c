/* Which debug lines are written: -debug, -debugexclude, -loglevel. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/log_sink.h"

/* The bits of a category name; false where there is no such category. */
static bool category_bits(struct log_sink *sink, const char *name, uint64_t *bits)
{
    enum log_category category;
    if (!log_category_parse(name, &category)) return false;
    if (category == LOGC_LIBEVENT) {
        log_warning(&sink->log,
                    "The logging category `%s` is deprecated, does nothing, and will be removed in a future version",
                    name);
        *bits = 0;
        return true;
    }
    *bits = category == LOGC_ALL ? UINT64_MAX : UINT64_C(1) << category;
    return true;
}

static bool add_categories(struct log_sink *sink, const struct args *args, const char *option, bool on,
                           struct buffer *error)
{
    size_t count;
    const char **names = args_list(args, option, &count);
    size_t first = 0;
    for (size_t i = 0; on && i < count; i++) {
        if (!strcmp(names[i], "0") || !strcmp(names[i], "none")) first = i + 1;
    }
    bool ok = true;
    for (size_t i = first; i < count && ok; i++) {
        uint64_t bits;
        ok = category_bits(sink, names[i], &bits);
        if (!ok) {
            buffer_printf(error, "Unsupported logging category -%s=%s.", option, names[i]);
        } else if (on) {
            sink->log.debug_categories |= bits;
        } else {
            sink->log.debug_categories &= ~bits;
        }
    }
    free(names);
    return ok;
}

static bool parse_level(const char *name, enum log_level *out)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {{"info", LOG_INFO}, {"debug", LOG_DEBUG}, {"trace", LOG_TRACE}};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcmp(levels[i].name, name) != 0) continue;
        *out = levels[i].level;
        return true;
    }
    return false;
}

/* "net:trace" */
static bool set_category_level(struct log_sink *sink, const char *text)
{
    char *name = mem_strdup(text);
    char *colon = strchr(name, ':');
    *colon = '\0';
    enum log_category category;
    enum log_level level;
    bool ok = parse_level(colon + 1, &level) && log_category_parse(name, &category);
    if (ok) sink->level[category] = level;
    free(name);
    return ok;
}

static void put_categories(struct buffer *out)
{
    for (int c = LOGC_ALL + 1; c < LOGC_COUNT; c++) {
        buffer_printf(out, "%s%s", c > LOGC_ALL + 1 ? ", " : "", log_category_name((enum log_category)c));
    }
}

static bool set_level(struct log_sink *sink, const char *text, struct buffer *error)
{
    const char *colon = strlen(text) > 3 ? strchr(text + 3, ':') : NULL;
    enum log_level level;
    if (!colon && parse_level(text, &level)) {
        for (int c = 0; c < LOGC_COUNT; c++) sink->level[c] = level;
        return true;
    }
    if (!colon) {
        buffer_printf(error, "Unsupported global logging level -loglevel=%s. Valid values: info, debug, trace.", text);
        return false;
    }
    if (set_category_level(sink, text)) return true;
    buffer_printf(error,
                  "Unsupported category-specific logging level -loglevel=%s. Expected -loglevel=<category>:<loglevel>. "
                  "Valid categories: ",
                  text);
    put_categories(error);
    buffer_put_str(error, ". Valid loglevels: info, debug, trace.");
    return false;
}

bool log_sink_set_categories(struct log_sink *sink, const struct args *args, struct buffer *error)
{
    size_t count;
    const char **levels = args_list(args, "loglevel", &count);
    bool ok = true;
    /* Levels for all first: those of single categories then stay, in whatever order they were given. */
    for (int single = 0; single < 2; single++) {
        for (size_t i = 0; i < count && ok; i++) {
            bool is_single = strlen(levels[i]) > 3 && strchr(levels[i] + 3, ':');
            if (is_single == single) ok = set_level(sink, levels[i], error);
        }
    }
    free(levels);
    sink->log.min_debug = LOG_INFO;
    for (int c = 0; c < LOGC_COUNT; c++) {
        if (sink->level[c] < sink->log.min_debug) sink->log.min_debug = sink->level[c];
    }
    return ok && add_categories(sink, args, "debug", true, error) &&
           add_categories(sink, args, "debugexclude", false, error);
}
