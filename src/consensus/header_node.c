/* Headers in their chain: links, ancestors by skip pointers, median time, common ancestors. */
#include "consensus/header_node.h"

#include <stdlib.h>

#include "consensus/params.h"
#include "consensus/pow.h"

static int32_t clear_lowest_bit(int32_t n)
{
    return n & (n - 1);
}

/* The height that the skip pointer of a header at HEIGHT leads to. */
static int32_t skip_height(int32_t height)
{
    if (height < 2) return 0;
    if (height % 2 == 0) return clear_lowest_bit(height);
    return clear_lowest_bit(clear_lowest_bit(height - 1)) + 1;
}

/* The work of a header alone. Most have their predecessor's bits, and a subtraction is far cheaper than a division. */
static struct u256 own_work(uint32_t bits, const struct header_node *prev)
{
    if (prev && prev->prev && prev->bits == bits) return u256_sub(prev->chainwork, prev->prev->chainwork);
    return pow_work(bits);
}

void header_node_link(struct header_node *n, const struct block_header *header, const struct block_hash *hash,
                      const struct header_node *prev)
{
    *n = (struct header_node){
        .prev = prev,
        .height = prev ? prev->height + 1 : 0,
        .version = header->version,
        .time = header->time,
        .bits = header->bits,
        .nonce = header->nonce,
        .hash = *hash,
        .chainwork = own_work(header->bits, prev),
        .time_max = header->time,
    };
    memcpy(n->merkle_root, header->merkle_root, sizeof(n->merkle_root));
    if (!prev) return;
    n->skip = header_ancestor(prev, skip_height(n->height));
    n->chainwork = u256_add(prev->chainwork, n->chainwork);
    if (prev->time_max > n->time_max) n->time_max = prev->time_max;
}

void header_node_header(struct block_header *out, const struct header_node *n)
{
    *out = (struct block_header){
        .version = n->version,
        .time = n->time,
        .bits = n->bits,
        .nonce = n->nonce,
    };
    if (n->prev) out->prev = n->prev->hash;
    memcpy(out->merkle_root, n->merkle_root, sizeof(out->merkle_root));
}

const struct header_node *header_ancestor(const struct header_node *n, int32_t height)
{
    if (!n || height < 0 || height > n->height) return NULL;
    while (n && n->height > height) {
        int32_t skip = skip_height(n->height);
        int32_t skip_of_prev = skip_height(n->height - 1);
        /* Going to the predecessor first is better where its skip pointer leads further back but not too far. */
        bool prev_skips_better = skip_of_prev < skip - 2 && skip_of_prev >= height;
        bool use_skip = n->skip && (skip == height || (skip > height && !prev_skips_better));
        n = use_skip ? n->skip : n->prev;
    }
    return n;
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int64_t header_median_time(const struct header_node *n)
{
    uint32_t times[MEDIAN_TIME_SPAN] = {0};
    size_t count = 0;
    for (; n && count < MEDIAN_TIME_SPAN; n = n->prev) times[count++] = n->time;
    qsort(times, count, sizeof(times[0]), compare_times);
    return times[count / 2];
}

const struct header_node *header_fork(const struct header_node *a, const struct header_node *b)
{
    if (!a || !b) return NULL;
    int32_t lowest = a->height < b->height ? a->height : b->height;
    a = header_ancestor(a, lowest);
    b = header_ancestor(b, lowest);
    while (a != b) {
        if (!a || !b) return NULL;
        /* Equal heights have skip pointers to equal heights: jump while they differ, then step. */
        bool jump = a->skip != b->skip && a->skip && b->skip;
        a = jump ? a->skip : a->prev;
        b = jump ? b->skip : b->prev;
    }
    return a;
}
