/* Small texts: times. */
#ifndef CAIRN_BASE_TEXT_H
#define CAIRN_BASE_TEXT_H

#include <stdint.h>

enum { TEXT_TIME = 32 };

/* "2009-01-03T18:15:05Z" for seconds since 1970, computed without the machine's time zone; returns OUT. */
char *text_time(char out[TEXT_TIME], int64_t seconds);

#endif
