/* Public script verification. */
#include "lib/handles.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "script/verify.h"

/* The public flags are the interpreter's own bits. */
_Static_assert((int)CAIRN_VERIFY_P2SH == (int)SCRIPT_VERIFY_P2SH, "P2SH");
_Static_assert((int)CAIRN_VERIFY_DERSIG == (int)SCRIPT_VERIFY_DERSIG, "DERSIG");
_Static_assert((int)CAIRN_VERIFY_NULLDUMMY == (int)SCRIPT_VERIFY_NULLDUMMY, "NULLDUMMY");
_Static_assert((int)CAIRN_VERIFY_CHECKLOCKTIMEVERIFY == (int)SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY, "CLTV");
_Static_assert((int)CAIRN_VERIFY_CHECKSEQUENCEVERIFY == (int)SCRIPT_VERIFY_CHECKSEQUENCEVERIFY, "CSV");
_Static_assert((int)CAIRN_VERIFY_WITNESS == (int)SCRIPT_VERIFY_WITNESS, "WITNESS");
_Static_assert((int)CAIRN_VERIFY_TAPROOT == (int)SCRIPT_VERIFY_TAPROOT, "TAPROOT");

struct cairn_spend {
    struct script_tx t;
    struct tx_out *spent;
    struct arena arena; /* the spent scripts */
};

struct cairn_spend *cairn_spend_new(const struct cairn_tx *tx, const struct cairn_output *spent, size_t count)
{
    if (count != tx->tx.in_count) return NULL;
    struct cairn_spend *s = mem_calloc(1, sizeof *s);
    s->spent = mem_calloc(count, sizeof *s->spent);
    for (size_t i = 0; i < count; i++) {
        struct cairn_bytes script = spent[i].script_pubkey;
        uint8_t *copy = arena_alloc(&s->arena, script.len);
        if (script.len) memcpy(copy, script.data, script.len);
        s->spent[i] = (struct tx_out){.value = spent[i].value, .script_pubkey = span_of(copy, script.len)};
    }
    script_tx_init(&s->t, &tx->tx, s->spent);
    return s;
}

void cairn_spend_free(struct cairn_spend *spend)
{
    if (!spend) return;
    arena_clear(&spend->arena);
    free(spend->spent);
    free(spend);
}

static bool flags_make_sense(unsigned flags)
{
    if (flags & ~(unsigned)CAIRN_VERIFY_ALL) return false;
    if ((flags & CAIRN_VERIFY_WITNESS) && !(flags & CAIRN_VERIFY_P2SH)) return false;
    return !(flags & CAIRN_VERIFY_TAPROOT) || (flags & CAIRN_VERIFY_WITNESS);
}

enum cairn_verify_status cairn_spend_verify(const struct cairn_spend *spend, size_t index, unsigned flags,
                                            int *script_error)
{
    if (script_error) *script_error = SCRIPT_ERR_OK;
    if (!spend) return CAIRN_VERIFY_BAD_SPENDS;
    if (index >= spend->t.tx->in_count) return CAIRN_VERIFY_BAD_INDEX;
    if (!flags_make_sense(flags)) return CAIRN_VERIFY_BAD_FLAGS;
    enum script_error e = script_verify_input(&spend->t, index, flags, NULL);
    if (script_error) *script_error = (int)e;
    return e == SCRIPT_ERR_OK ? CAIRN_VERIFY_OK : CAIRN_VERIFY_FAILED;
}

static enum script_error known(int script_error)
{
    return script_error >= 0 && script_error < SCRIPT_ERR_COUNT ? (enum script_error)script_error
                                                                : SCRIPT_ERR_UNKNOWN_ERROR;
}

const char *cairn_script_error_name(int script_error)
{
    return script_error_name(known(script_error));
}

const char *cairn_script_error_text(int script_error)
{
    return script_error_text(known(script_error));
}
