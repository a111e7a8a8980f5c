/* Making the past of all worlds. */
#include "lab/image.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "lab/wallet.h"
#include "miner/block_template.h"
#include "sim/scenario.h"

#define IMAGE_SEED  UINT64_C(0x1ab)
#define IMAGE_STEP  (10 * SIM_MINUTE_US)
#define IMAGE_TRIES UINT64_C(1000)

static uint32_t owner_at(int32_t height)
{
    if (height <= LAB_IMAGE_ATTACKER) return LAB_OWNER_ATTACKER;
    if (height <= LAB_IMAGE_ATTACKER + LAB_IMAGE_CUSTOMER) return LAB_OWNER_CUSTOMER;
    return LAB_OWNER_PUBLIC;
}

static void make_block(struct lab_image *image, struct sim_node *n, int32_t height)
{
    struct sim *s = n->sim;
    struct buffer script = {0}, *raw = &image->blocks[height - 1];
    struct verdict v = {0};
    struct error e;
    bool is_new;
    n->clock.wall_base_us = SIM_WALL_START_US - IMAGE_STEP * (LAB_IMAGE_BLOCKS + 1 - height);
    sim_node_set_clock(n);
    lab_owner_script(&script, owner_at(height));
    block_template_build(n->node->chain, node_time_s(n->node), buffer_span(&script), NULL, 0, 0, raw);
    uint64_t tries = IMAGE_TRIES;
    bool found = nonce_search(raw->data, &s->params, &tries);
    CHECK(found);
    struct block *b = block_parse(buffer_span(raw));
    CHECK(b);
    sim_block_add(s, buffer_span(raw), s->block_list[height - 1], NULL);
    enum result r = node_submit_block(n->node, b, &is_new, &v, &e);
    CHECK(!r && verdict_ok(&v));
    if (image->coin_count < ARRAY_LEN(image->coins))
        image->coins[image->coin_count++] =
            (struct lab_image_coin){{b->txs[0].txid, 0}, b->txs[0].out[0].value, owner_at(height)};
    block_free(b);
    buffer_clear(&script);
    sim_node_pump(n);
}

struct lab_image *lab_image_new(void)
{
    struct lab_image *image = mem_calloc(1, sizeof(*image));
    struct sim_options options = {.seed = IMAGE_SEED, .log_node = -1, .out = stdout};
    struct sim_report report;
    struct sim *s = sim_new(&options, &report);
    scenario_calm(&s->swarm);
    s->swarm.topology = TOPOLOGY_CONNECT;
    s->params.minimum_chain_work = u256_from_u64(0);
    struct sim_node *n = sim_add_node(s);
    sim_disk_make_safe(&n->disk);
    sim_node_start(n);
    for (int32_t height = 1; height <= LAB_IMAGE_BLOCKS; height++) make_block(image, n, height);
    sim_node_stop(n, STOP_CLEAN);
    CHECK(!report.failed);
    sim_disk_copy(&image->disk, &n->disk);
    sim_free(s);
    return image;
}

void lab_image_free(struct lab_image *image)
{
    if (!image) return;
    sim_disk_close(&image->disk);
    for (size_t i = 0; i < LAB_IMAGE_BLOCKS; i++) buffer_clear(&image->blocks[i]);
    free(image);
}
