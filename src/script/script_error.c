/* The names and sentences of script errors, and the names of verification flags. */
#include "script/script_error.h"

#include "base/compiler.h"
#include "script/verify.h"

const char *script_error_text(enum script_error e)
{
    switch (e) {
#define SCRIPT_ERROR_TEXT(NAME, TEXT)                                                                                  \
    case SCRIPT_ERR_##NAME: return TEXT;
        SCRIPT_ERROR_ROWS(SCRIPT_ERROR_TEXT)
#undef SCRIPT_ERROR_TEXT
    case SCRIPT_ERR_COUNT: break;
    }
    return "unknown error";
}

const char *script_error_name(enum script_error e)
{
#define SCRIPT_ERROR_NAME(NAME, TEXT) #NAME,
    static const char *const names[] = {SCRIPT_ERROR_ROWS(SCRIPT_ERROR_NAME)};
#undef SCRIPT_ERROR_NAME
    if (e == SCRIPT_ERR_SIG_NULLFAIL) return "NULLFAIL"; /* the vectors leave "SIG_" out of this one */
    return (unsigned)e < SCRIPT_ERR_COUNT ? names[e] : "UNKNOWN_ERROR";
}

const char *script_flag_name(unsigned bit)
{
    static const char *const names[] = {
        "P2SH",
        "STRICTENC",
        "DERSIG",
        "LOW_S",
        "NULLDUMMY",
        "SIGPUSHONLY",
        "MINIMALDATA",
        "DISCOURAGE_UPGRADABLE_NOPS",
        "CLEANSTACK",
        "CHECKLOCKTIMEVERIFY",
        "CHECKSEQUENCEVERIFY",
        "WITNESS",
        "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
        "MINIMALIF",
        "NULLFAIL",
        "WITNESS_PUBKEYTYPE",
        "CONST_SCRIPTCODE",
        "TAPROOT",
        "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
        "DISCOURAGE_OP_SUCCESS",
        "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
    };
    _Static_assert((1 << ARRAY_LEN(names)) - 1 == SCRIPT_VERIFY_ALL, "one name a flag");
    return bit < ARRAY_LEN(names) ? names[bit] : NULL;
}
