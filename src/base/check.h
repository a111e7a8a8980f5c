/* CHECK: what must hold, or the program is wrong. Not error handling: a CHECK that fails stops the process. */
#ifndef CAIRN_BASE_CHECK_H
#define CAIRN_BASE_CHECK_H

#include "base/compiler.h"

/* Writes one line to standard error and aborts. */
NORETURN void check_failed(const char *file, int line, const char *what);

#define CHECK(COND)                                                                                                    \
    do {                                                                                                               \
        if (!(COND)) check_failed(__FILE__, __LINE__, #COND);                                                          \
    } while (0)

#endif
