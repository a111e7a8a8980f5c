/* Words and numbers of scenario files, settings and commands. Inside the room. */
#ifndef CAIRN_LAB_WORDS_H
#define CAIRN_LAB_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/span.h"

enum { LAB_WORD_SHOWN = 64 };

/* Without blanks at both ends. */
struct span lab_trim(struct span s);
bool lab_word_is(struct span s, const char *word);
/* The first word of *REST, which then begins behind the blanks after it. */
struct span lab_word_take(struct span *rest);
/* What somebody wrote, for an error's text: cut where it is long, a ? for what cannot be printed. Returns OUT. */
const char *lab_show(char out[LAB_WORD_SHOWN], struct span s);

/* Decimal digits and nothing else. */
bool lab_parse_number(struct span s, uint64_t *out);
/* "12" or "0.75" -> 12 * 10^DIGITS, 75 * 10^(DIGITS - 2); half rounds up; false beyond 2^62. */
bool lab_parse_decimal(struct span s, unsigned digits, int64_t *out);

#endif
