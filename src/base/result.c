/* Results and their sentences. */
#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>

enum result error_set(struct error *e, enum result code, const char *format, ...)
{
    if (!e) return code;
    e->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    return code;
}

const char *result_name(enum result code)
{
    switch (code) {
    case RESULT_OK: return "ok";
    case RESULT_NOT_FOUND: return "not found";
    case RESULT_IO: return "input/output error";
    case RESULT_CORRUPT: return "corrupt data";
    case RESULT_FULL: return "no space left";
    case RESULT_BUSY: return "busy";
    case RESULT_INVALID: return "invalid";
    case RESULT_STOPPED: return "stopped";
    }
    return "unknown";
}
