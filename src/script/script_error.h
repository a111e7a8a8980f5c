/* Why a script failed: one row an error, in the order and with the names of Bitcoin Core's test vectors. */
#ifndef CAIRN_SCRIPT_SCRIPT_ERROR_H
#define CAIRN_SCRIPT_SCRIPT_ERROR_H

/* X(constant suffix, sentence) */
#define SCRIPT_ERROR_ROWS(X)                                                                                           \
    X(OK, "No error")                                                                                                  \
    X(UNKNOWN_ERROR, "unknown error")                                                                                  \
    X(EVAL_FALSE, "Script evaluated without error but finished with a false/empty top stack element")                  \
    X(OP_RETURN, "OP_RETURN was encountered")                                                                          \
    X(SCRIPTNUM, "Script number overflowed or is non-minimally encoded")                                               \
    X(SCRIPT_SIZE, "Script is too big")                                                                                \
    X(PUSH_SIZE, "Push value size limit exceeded")                                                                     \
    X(OP_COUNT, "Operation limit exceeded")                                                                            \
    X(STACK_SIZE, "Stack size limit exceeded")                                                                         \
    X(SIG_COUNT, "Signature count negative or greater than pubkey count")                                              \
    X(PUBKEY_COUNT, "Pubkey count negative or limit exceeded")                                                         \
    X(VERIFY, "Script failed an OP_VERIFY operation")                                                                  \
    X(EQUALVERIFY, "Script failed an OP_EQUALVERIFY operation")                                                        \
    X(CHECKMULTISIGVERIFY, "Script failed an OP_CHECKMULTISIGVERIFY operation")                                        \
    X(CHECKSIGVERIFY, "Script failed an OP_CHECKSIGVERIFY operation")                                                  \
    X(NUMEQUALVERIFY, "Script failed an OP_NUMEQUALVERIFY operation")                                                  \
    X(BAD_OPCODE, "Opcode missing or not understood")                                                                  \
    X(DISABLED_OPCODE, "Attempted to use a disabled opcode")                                                           \
    X(INVALID_STACK_OPERATION, "Operation not valid with the current stack size")                                      \
    X(INVALID_ALTSTACK_OPERATION, "Operation not valid with the current altstack size")                                \
    X(UNBALANCED_CONDITIONAL, "Invalid OP_IF construction")                                                            \
    X(NEGATIVE_LOCKTIME, "Negative locktime")                                                                          \
    X(UNSATISFIED_LOCKTIME, "Locktime requirement not satisfied")                                                      \
    X(SIG_HASHTYPE, "Signature hash type missing or not understood")                                                   \
    X(SIG_DER, "Non-canonical DER signature")                                                                          \
    X(MINIMALDATA, "Data push larger than necessary")                                                                  \
    X(SIG_PUSHONLY, "Only push operators allowed in signatures")                                                       \
    X(SIG_HIGH_S, "Non-canonical signature: S value is unnecessarily high")                                            \
    X(SIG_NULLDUMMY, "Dummy CHECKMULTISIG argument must be zero")                                                      \
    X(PUBKEYTYPE, "Public key is neither compressed or uncompressed")                                                  \
    X(CLEANSTACK, "Stack size must be exactly one after execution")                                                    \
    X(MINIMALIF, "OP_IF/NOTIF argument must be minimal")                                                               \
    X(SIG_NULLFAIL, "Signature must be zero for failed CHECK(MULTI)SIG operation")                                     \
    X(DISCOURAGE_UPGRADABLE_NOPS, "NOPx reserved for soft-fork upgrades")                                              \
    X(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM, "Witness version reserved for soft-fork upgrades")                        \
    X(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION, "Taproot version reserved for soft-fork upgrades")                        \
    X(DISCOURAGE_OP_SUCCESS, "OP_SUCCESSx reserved for soft-fork upgrades")                                            \
    X(DISCOURAGE_UPGRADABLE_PUBKEYTYPE, "Public key version reserved for soft-fork upgrades")                          \
    X(WITNESS_PROGRAM_WRONG_LENGTH, "Witness program has incorrect length")                                            \
    X(WITNESS_PROGRAM_WITNESS_EMPTY, "Witness program was passed an empty witness")                                    \
    X(WITNESS_PROGRAM_MISMATCH, "Witness program hash mismatch")                                                       \
    X(WITNESS_MALLEATED, "Witness requires empty scriptSig")                                                           \
    X(WITNESS_MALLEATED_P2SH, "Witness requires only-redeemscript scriptSig")                                          \
    X(WITNESS_UNEXPECTED, "Witness provided for non-witness script")                                                   \
    X(WITNESS_PUBKEYTYPE, "Using non-compressed keys in segwit")                                                       \
    X(SCHNORR_SIG_SIZE, "Invalid Schnorr signature size")                                                              \
    X(SCHNORR_SIG_HASHTYPE, "Invalid Schnorr signature hash type")                                                     \
    X(SCHNORR_SIG, "Invalid Schnorr signature")                                                                        \
    X(TAPROOT_WRONG_CONTROL_SIZE, "Invalid Taproot control block size")                                                \
    X(TAPSCRIPT_VALIDATION_WEIGHT, "Too much signature validation relative to witness weight")                         \
    X(TAPSCRIPT_CHECKMULTISIG, "OP_CHECKMULTISIG(VERIFY) is not available in tapscript")                               \
    X(TAPSCRIPT_MINIMALIF, "OP_IF/NOTIF argument must be minimal in tapscript")                                        \
    X(TAPSCRIPT_EMPTY_PUBKEY, "Empty public key in tapscript")                                                         \
    X(OP_CODESEPARATOR, "Using OP_CODESEPARATOR in non-witness script")                                                \
    X(SIG_FINDANDDELETE, "Signature is found in scriptCode")

#define SCRIPT_ERROR_CONSTANT(NAME, TEXT) SCRIPT_ERR_##NAME,
enum script_error { SCRIPT_ERROR_ROWS(SCRIPT_ERROR_CONSTANT) SCRIPT_ERR_COUNT };
#undef SCRIPT_ERROR_CONSTANT

/* The sentence that reject reasons carry in brackets. */
const char *script_error_text(enum script_error e);

/* "EVAL_FALSE": the name that the vectors use. */
const char *script_error_name(enum script_error e);

#endif
