/* Reading the lists of fixed seeds. */
#include "p2p/fixed_seeds.h"

#include "base/alloc.h"

size_t fixed_seeds_read(struct span list, struct peer_addr **out)
{
    struct reader r = reader_of(list);
    size_t count = 0, cap = 0;
    *out = NULL;
    while (reader_left(&r) > 0) {
        struct peer_addr a = {.services = NODE_NETWORK | NODE_WITNESS};
        netaddr_read_v2(&a.at.addr, &r);
        a.at.port = read_be16(&r);
        if (r.failed) break;
        if (!netaddr_is_routable(&a.at.addr)) continue;
        *out = mem_grow(*out, &cap, count + 1, sizeof(**out));
        (*out)[count++] = a;
    }
    return count;
}

size_t fixed_seeds(enum chain_type chain, struct peer_addr **out)
{
    return fixed_seeds_read(fixed_seed_lists[chain], out);
}
