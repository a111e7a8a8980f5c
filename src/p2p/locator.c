/* Locators: block hashes that tell a peer where our chain is, dense near its end and ever sparser towards genesis. */
#include "p2p/headers.h"

enum { LOCATOR_DENSE = 10 };

size_t headers_locator_hashes(const struct block_node *node, struct block_hash *out, size_t max)
{
    size_t count = 0;
    int32_t step = 1;
    while (node && count < max) {
        out[count++] = node->header.hash;
        int32_t height = node->header.height;
        if (height == 0) break;
        node = block_node_ancestor(node, height > step ? height - step : 0);
        if (count > LOCATOR_DENSE) step *= 2;
    }
    return count;
}

void headers_locator(struct buffer *payload, const struct chain *c, const struct block_node *node,
                     const struct block_hash *stop)
{
    struct block_hash hashes[MAX_LOCATOR];
    struct message m = {.type = MESSAGE_GETHEADERS};
    m.as.locator.version = HEADERS_LOCATOR_VERSION;
    m.as.locator.hashes = hashes;
    m.as.locator.count = headers_locator_hashes(node ? node : chain_tip(c), hashes, MAX_LOCATOR);
    if (stop) m.as.locator.stop = *stop;
    message_write(payload, &m);
}
