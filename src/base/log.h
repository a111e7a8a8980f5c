/* The log interface: rings inside the shell say what happened, the shell decides where it goes.
 * A `struct log` is handed down; there is no global one. Writing is thread-safe where `write` is. */
#ifndef CAIRN_BASE_LOG_H
#define CAIRN_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Categories of -debug=NAME and of the `logging` RPC. The names are those that Bitcoin Core's users type. */
enum log_category {
    LOGC_ALL, /* uncategorised: always written from LOG_INFO up */
    LOGC_NET,
    LOGC_TOR,
    LOGC_MEMPOOL,
    LOGC_HTTP,
    LOGC_BENCH,
    LOGC_ZMQ,
    LOGC_WALLETDB,
    LOGC_RPC,
    LOGC_ESTIMATEFEE,
    LOGC_ADDRMAN,
    LOGC_SELECTCOINS,
    LOGC_REINDEX,
    LOGC_CMPCTBLOCK,
    LOGC_RAND,
    LOGC_PRUNE,
    LOGC_PROXY,
    LOGC_MEMPOOLREJ,
    LOGC_LIBEVENT,
    LOGC_COINDB,
    LOGC_QT,
    LOGC_LEVELDB,
    LOGC_VALIDATION,
    LOGC_I2P,
    LOGC_IPC,
    LOGC_LOCK,
    LOGC_BLOCKSTORAGE,
    LOGC_TXRECONCILIATION,
    LOGC_SCAN,
    LOGC_TXPACKAGES,
    LOGC_KERNEL,
    LOGC_PRIVBROADCAST,
    LOGC_COUNT
};

struct log_source {
    const char *file;
    const char *function;
    int line;
};

struct log {
    /* One line without its newline. */
    void (*write)(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                  const char *text);
    void *ctx;
    uint64_t debug_categories; /* bit c: write debug lines of category c. Changed by the `logging` RPC. */
    enum log_level min_debug;  /* LOG_DEBUG, or LOG_TRACE with -loglevel=trace */
};

/* The name users type ("net"), or NULL past the end. LOGC_ALL is "all". */
const char *log_category_name(enum log_category category);

/* Finds a category by name; false where there is none. "", "1" and "all" are LOGC_ALL. */
MUST_USE bool log_category_parse(const char *name, enum log_category *out);

/* True where a line of this level and category would be written (LOG may be NULL: never). */
bool log_wants(const struct log *log, enum log_level level, enum log_category category);

void log_line(struct log *log, enum log_level level, enum log_category category, const struct log_source *source,
              const char *format, ...) PRINTF_LIKE(5, 6);

#define LOG_AT(LOG, LEVEL, CATEGORY, ...)                                                                              \
    do {                                                                                                               \
        if (log_wants((LOG), (LEVEL), (CATEGORY)))                                                                     \
            log_line((LOG), (LEVEL), (CATEGORY), &(struct log_source){__FILE__, __func__, __LINE__}, __VA_ARGS__);     \
    } while (0)

#define log_error(LOG, ...)           LOG_AT(LOG, LOG_ERROR, LOGC_ALL, __VA_ARGS__)
#define log_warning(LOG, ...)         LOG_AT(LOG, LOG_WARNING, LOGC_ALL, __VA_ARGS__)
#define log_info(LOG, ...)            LOG_AT(LOG, LOG_INFO, LOGC_ALL, __VA_ARGS__)
#define log_debug(LOG, CATEGORY, ...) LOG_AT(LOG, LOG_DEBUG, CATEGORY, __VA_ARGS__)
#define log_trace(LOG, CATEGORY, ...) LOG_AT(LOG, LOG_TRACE, CATEGORY, __VA_ARGS__)

#endif
