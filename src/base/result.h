/* Results: what our machine did. A result is never about somebody else's data breaking a rule; that is a verdict. */
#ifndef CAIRN_BASE_RESULT_H
#define CAIRN_BASE_RESULT_H

#include "base/compiler.h"

enum result {
    RESULT_OK = 0,
    RESULT_NOT_FOUND, /* no such key, file or record */
    RESULT_IO,        /* the operating system refused or failed */
    RESULT_CORRUPT,   /* what we once wrote reads back wrong */
    RESULT_FULL,      /* no space left on the device */
    RESULT_BUSY,      /* somebody else holds it (lock file) */
    RESULT_INVALID,   /* an argument or configuration value makes no sense */
    RESULT_STOPPED,   /* interrupted on request */
};

/* A result with a sentence for the user. Functions that take a `struct error *` fill it exactly when they fail. */
struct error {
    enum result code;
    char text[512]; /* one line, no full stop needed, names the file and the cause */
};

/* Fills *E (may be NULL) and returns CODE. */
enum result error_set(struct error *e, enum result code, const char *format, ...) PRINTF_LIKE(3, 4);

/* "ok", "not found", "input/output error" ...: for logs. */
const char *result_name(enum result code);

#endif
