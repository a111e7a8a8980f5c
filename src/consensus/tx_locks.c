/* When a transaction may be mined: absolute lock times and relative ones (BIP68). */
#include "base/check.h"
#include "consensus/tx_check.h"
#include "script/script.h"

#define SEQUENCE_LOCK_DISABLED (UINT32_C(1) << 31)
#define SEQUENCE_LOCK_IN_TIME  (UINT32_C(1) << 22)
#define SEQUENCE_LOCK_MASK     UINT32_C(0xffff)

enum {
    SEQUENCE_TIME_SHIFT = 9, /* time locks count in 512 seconds */
    BIP68_VERSION = 2,
};

bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s)
{
    if (tx->lock_time == 0) return true;
    if ((int64_t)tx->lock_time < (tx->lock_time < LOCKTIME_THRESHOLD ? height : time_s)) return true;
    for (size_t i = 0; i < tx->in_count; i++)
        if (tx->in[i].sequence != SEQUENCE_FINAL) return false;
    return true;
}

void tx_sequence_locks(const struct tx *tx, const coin_origin *origins, const struct header_node *prev,
                       bool bip68_active, int32_t *min_height, int64_t *min_time_s)
{
    int64_t height = -1, time_s = -1;
    /* The version counts as unsigned here: a negative one is above 2. */
    bool enforced = bip68_active && (uint32_t)tx->version >= BIP68_VERSION;
    for (size_t i = 0; enforced && i < tx->in_count; i++) {
        uint32_t sequence = tx->in[i].sequence;
        if (sequence & SEQUENCE_LOCK_DISABLED) continue;
        int32_t coin = coin_height(origins[i]);
        uint32_t span = sequence & SEQUENCE_LOCK_MASK;
        if (sequence & SEQUENCE_LOCK_IN_TIME) {
            /* Time runs from the median time before the block that made the coin. */
            const struct header_node *before = header_ancestor(prev, coin > 0 ? coin - 1 : 0);
            CHECK(before);
            int64_t until = header_median_time(before) + (int64_t)(span << SEQUENCE_TIME_SHIFT) - 1;
            if (until > time_s) time_s = until;
        } else {
            int64_t until = (int64_t)coin + span - 1;
            if (until > height) height = until;
        }
    }
    *min_height = height > INT32_MAX ? INT32_MAX : (int32_t)height;
    *min_time_s = time_s;
}

bool tx_sequence_locks_met(const struct tx *tx, const coin_origin *origins, const struct header_node *prev,
                           bool bip68_active)
{
    int32_t height;
    int64_t time_s;
    tx_sequence_locks(tx, origins, prev, bip68_active, &height, &time_s);
    if (height > prev->height) return false;
    return time_s < 0 || time_s < header_median_time(prev);
}
