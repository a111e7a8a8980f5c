/* Verdicts: filling and printing them. */
#include "consensus/verdict.h"

#include <stdarg.h>
#include <stdio.h>

bool verdict_fail(struct verdict *v, enum verdict_kind kind, const char *reason, const char *detail_format, ...)
{
    v->kind = kind;
    snprintf(v->reason, sizeof(v->reason), "%s", reason);
    va_list args;
    va_start(args, detail_format);
    vsnprintf(v->detail, sizeof(v->detail), detail_format, args);
    va_end(args);
    return false;
}

char *verdict_text(char *out, unsigned long size, const struct verdict *v)
{
    if (verdict_ok(v))
        snprintf(out, size, "Valid");
    else if (v->detail[0])
        snprintf(out, size, "%s, %s", v->reason, v->detail);
    else
        snprintf(out, size, "%s", v->reason);
    return out;
}
