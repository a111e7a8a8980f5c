/* SHA3-256 (FIPS 202), for the checksum in Tor's addresses. */
#ifndef CAIRN_WIRE_SHA3_H
#define CAIRN_WIRE_SHA3_H

#include "base/span.h"

void sha3_256(uint8_t out[32], struct span data);

#endif
