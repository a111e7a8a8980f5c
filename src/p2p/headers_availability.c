/* What a peer is known to have: its best block, and the last one that it named and we do not know yet. */
#include "consensus/pow.h"
#include "p2p/internal.h"

static void note_best(struct peer *peer, struct block_node *node)
{
    struct peer_headers *h = &peer->headers;
    if (!h->best_known || u256_cmp(node->header.chainwork, h->best_known->header.chainwork) >= 0) h->best_known = node;
}

void headers_resolve_unknown(struct p2p *p, struct peer *peer)
{
    struct peer_headers *h = &peer->headers;
    if (hash_is_null(h->last_unknown.bytes)) return;
    struct block_node *node = chain_find(p->chain, &h->last_unknown);
    if (!node) return;
    note_best(peer, node);
    h->last_unknown = (struct block_hash){0};
}

void headers_note_available(struct p2p *p, struct peer *peer, const struct block_hash *hash)
{
    headers_resolve_unknown(p, peer);
    struct block_node *node = chain_find(p->chain, hash);
    if (node)
        note_best(peer, node);
    else
        peer->headers.last_unknown = *hash; /* the latest is taken for the best */
}

struct u256 headers_work_threshold(const struct p2p *p)
{
    enum { BUFFER_BLOCKS = 144 }; /* forks from near the tip are welcome */
    struct u256 least = p->chain->options.minimum_chain_work;
    const struct block_node *tip = chain_tip(p->chain);
    if (!tip) return least;
    struct u256 buffer = u256_mul_u32(pow_work(tip->header.bits), BUFFER_BLOCKS);
    if (u256_cmp(buffer, tip->header.chainwork) >= 0) return least;
    struct u256 near_tip = u256_sub(tip->header.chainwork, buffer);
    return u256_cmp(near_tip, least) > 0 ? near_tip : least;
}
