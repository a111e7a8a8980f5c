/* Witness programs (BIP141, BIP341, BIP342); a part of script verification that only this room includes. */
#ifndef CAIRN_SCRIPT_VERIFY_WITNESS_H
#define CAIRN_SCRIPT_VERIFY_WITNESS_H

#include "script/interp.h"

/* Verifies WITNESS against a program; FAST: short cuts for standard templates. The stack is not defined afterwards. */
enum script_error verify_witness_program(struct interp *in, const struct witness *witness, int version,
                                         struct span program, bool is_p2sh, bool fast);

#endif
