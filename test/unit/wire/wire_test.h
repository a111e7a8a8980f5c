/* What the tests of this room share. */
#ifndef CAIRN_TEST_WIRE_H
#define CAIRN_TEST_WIRE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/random.h"
#include "wire/messages.h"
#include "wire/netaddr.h"

/* The bytes of HEX in memory of exactly their size, so that a sanitizer sees a read past the end. */
struct span bytes_of(const char *hex);
/* A copy of the first LEN bytes, of exactly that size; free its data. */
struct span exact_copy(struct span s, size_t len);
void span_free(struct span s);

/* netaddr_parse, which must succeed. */
struct netaddr ip(const char *text);

/* One of each message, with something in every field; the arrays are const data. */
void message_sample(struct message *m, enum message_type type);

#endif
