/* Text from strangers, made fit for logs and replies. */
#ifndef CAIRN_WIRE_SANITIZE_H
#define CAIRN_WIRE_SANITIZE_H

#include "base/span.h"

/* Copies the letters, digits and " .,;-_/:?@()" of TEXT to OUT (SIZE bytes with the NUL) and leaves out the rest;
 * returns OUT. */
char *sanitize(char *out, size_t size, struct span text);

#endif
