/* Inside the room: inverses modulo the prime of MuHash3072, 2^3072 - 1103717. */
#ifndef CAIRN_CRYPTO_NUM3072_INVERSE_H
#define CAIRN_CRYPTO_NUM3072_INVERSE_H

#include "crypto/muhash.h"

/* OUT = 1 / A for A below the prime; 0 for 0. The time depends on A. OUT may be A. */
void num3072_invert(struct num3072 *out, const struct num3072 *a);

#endif
