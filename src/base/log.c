/* Filters and formats log lines. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *const log_names[LOGC_COUNT] = {
    [LOGC_ALL] = "all",
    [LOGC_NET] = "net",
    [LOGC_TOR] = "tor",
    [LOGC_MEMPOOL] = "mempool",
    [LOGC_HTTP] = "http",
    [LOGC_BENCH] = "bench",
    [LOGC_ZMQ] = "zmq",
    [LOGC_WALLETDB] = "walletdb",
    [LOGC_RPC] = "rpc",
    [LOGC_ESTIMATEFEE] = "estimatefee",
    [LOGC_ADDRMAN] = "addrman",
    [LOGC_SELECTCOINS] = "selectcoins",
    [LOGC_REINDEX] = "reindex",
    [LOGC_CMPCTBLOCK] = "cmpctblock",
    [LOGC_RAND] = "rand",
    [LOGC_PRUNE] = "prune",
    [LOGC_PROXY] = "proxy",
    [LOGC_MEMPOOLREJ] = "mempoolrej",
    [LOGC_LIBEVENT] = "libevent",
    [LOGC_COINDB] = "coindb",
    [LOGC_QT] = "qt",
    [LOGC_LEVELDB] = "leveldb",
    [LOGC_VALIDATION] = "validation",
    [LOGC_I2P] = "i2p",
    [LOGC_IPC] = "ipc",
    [LOGC_LOCK] = "lock",
    [LOGC_BLOCKSTORAGE] = "blockstorage",
    [LOGC_TXRECONCILIATION] = "txreconciliation",
    [LOGC_SCAN] = "scan",
    [LOGC_TXPACKAGES] = "txpackages",
    [LOGC_KERNEL] = "kernel",
    [LOGC_PRIVBROADCAST] = "privatebroadcast",
};

const char *log_category_name(enum log_category category)
{
    return (unsigned)category < LOGC_COUNT ? log_names[category] : NULL;
}

bool log_category_parse(const char *name, enum log_category *out)
{
    *out = LOGC_ALL;
    if (!*name || !strcmp(name, "1")) return true;
    for (int c = 0; c < LOGC_COUNT; c++) {
        if (strcmp(name, log_names[c])) continue;
        *out = (enum log_category)c;
        return true;
    }
    return false;
}

bool log_wants(const struct log *log, enum log_level level, enum log_category category)
{
    if (!log || !log->write) return false;
    if (level >= LOG_INFO) return true;
    uint64_t on = __atomic_load_n(&log->debug_categories, __ATOMIC_RELAXED);
    return level >= log->min_debug && (on >> category & 1);
}

void log_line(struct log *log, enum log_level level, enum log_category category, const struct log_source *source,
              const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len < (int)sizeof(small)) {
        log->write(log->ctx, level, category, source, small);
        return;
    }
    char *large = mem_alloc((size_t)len + 1);
    va_start(args, format);
    vsnprintf(large, (size_t)len + 1, format, args);
    va_end(args);
    log->write(log->ctx, level, category, source, large);
    free(large);
}
