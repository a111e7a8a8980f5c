/* Pruning: which files go, compared with a naive rule; what is left of their blocks; crashes at every write. */
#include "chain/chain_prune.h"
#include "trees.h"

enum { FILE_BYTES = 6000, BLOCKS = 400, FILES_MAX = 400 };

struct pruned {
    struct kit kit;
    struct tree tree;
    struct tree_block *tip;
};

static void pruned_new(struct pruned *p, uint64_t target, size_t blocks)
{
    tree_init(&p->tree, 31);
    kit_prepare(&p->kit, CHAIN_REGTEST);
    p->kit.options.prune_target = target;
    p->kit.options.max_file_bytes = FILE_BYTES;
    kit_stores(&p->kit);
    kit_open(&p->kit);
    kit_run(&p->kit);
    p->tip = tree_grow(&p->tree, p->tree.blocks[0], blocks);
    tree_feed(&p->kit, p->tip);
}

static void pruned_free(struct pruned *p)
{
    kit_free(&p->kit);
    tree_clear(&p->tree);
}

static void prune_to(struct kit *k, int32_t height)
{
    struct error e = {0};
    cr_assert_eq(chain_prune_to(k->chain, height, &e), RESULT_OK, "%s", e.text);
}

static bool file_exists(const struct kit *k, enum flat_kind kind, uint32_t file)
{
    uint64_t size;
    struct error e;
    return k->ports.files.ops->size(k->ports.files.ctx, kind, file, &size, &e) == RESULT_OK;
}

static void put_byte(struct kit *k, enum flat_kind kind, uint32_t file)
{
    struct error e = {0};
    cr_assert_eq(k->ports.files.ops->write(k->ports.files.ctx, kind, file, 0, span_str("x"), &e), RESULT_OK);
}

static void grow(struct pruned *p, size_t blocks)
{
    while (blocks--) {
        p->tip = tree_mine(&p->tree, p->tip);
        kit_feed_good(&p->kit, p->tip->block);
    }
}

static struct block_node *node_of(const struct kit *k, const struct tree_block *b)
{
    return chain_find(k->chain, &b->block->hash);
}

/* ---- the naive rule ---- */

/* Where each block's data lie, and what is the highest block of each file. */
struct map {
    uint32_t *file; /* by the tree's order of nodes; UINT32_MAX: nowhere */
    size_t nodes;
    int32_t highest[FILES_MAX];
    uint32_t last_file;
};

static void map_take(struct map *m, const struct chain *c)
{
    *m = (struct map){.file = mem_calloc(c->tree.count, sizeof(uint32_t)), .nodes = c->tree.count};
    for (size_t i = 0; i < c->tree.count; i++) {
        const struct block_node *n = c->tree.nodes[i];
        bool here = n->status & BLOCK_HAVE_DATA;
        m->file[i] = here ? n->file : UINT32_MAX;
        if (!here) continue;
        cr_assert_lt(n->file, FILES_MAX);
        if (n->header.height > m->highest[n->file]) m->highest[n->file] = n->header.height;
        if (n->file > m->last_file) m->last_file = n->file;
    }
}

/* Exactly the blocks of files that end at HEIGHT or below have lost their data since M was taken. */
static void map_expect(struct map *m, struct kit *k, int32_t height)
{
    struct chain *c = k->chain;
    struct error e;
    for (size_t i = 0; i < m->nodes; i++) {
        struct block_node *n = c->tree.nodes[i];
        uint32_t file = m->file[i];
        if (file == UINT32_MAX) continue;
        bool gone = file != m->last_file && m->highest[file] <= height;
        cr_assert_eq(!(n->status & BLOCK_HAVE_DATA), gone, "height %d in file %u", n->header.height, file);
        cr_assert_eq(file_exists(k, FLAT_BLOCKS, file), !gone);
        struct block *b = NULL;
        cr_assert_eq(chain_read_block(c, n, &b, &e), gone ? RESULT_NOT_FOUND : RESULT_OK);
        if (b) block_free(b);
        if (!gone) continue;
        cr_assert(!file_exists(k, FLAT_UNDO, file));
        cr_assert_eq(n->status & BLOCK_HAVE_UNDO, 0);
        cr_assert_gt(n->tx_count, 0);
        cr_assert(chain_block_pruned(c, n));
        cr_assert_eq(c->files[file].size + c->files[file].undo_size + c->files[file].blocks, 0);
    }
    free(m->file);
}

static int32_t naive_prune_height(const struct chain *c)
{
    int32_t found = -1;
    for (int32_t h = 1; h <= chain_height(c); h++)
        if (!(c->active[h]->status & BLOCK_HAVE_DATA)) found = h;
    return found;
}

/* ---- by height ---- */

Test(chain_prune, by_height)
{
    static struct pruned p;
    char hash[65];
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    kit_utxo_hash(&p.kit, hash);
    cr_assert(chain_is_pruned(p.kit.chain) && chain_prunes_manually(p.kit.chain));
    cr_assert(!chain_prune_due(p.kit.chain), "nothing goes by itself");
    cr_assert_eq(chain_prune_height(p.kit.chain), -1);
    int32_t heights[] = {0, 1, 40, 80, 80, 110, 111, 113, BLOCKS, INT32_MAX}, most = BLOCKS - MIN_BLOCKS_TO_KEEP;
    for (size_t i = 0; i < ARRAY_LEN(heights); i++) {
        struct map before;
        map_take(&before, p.kit.chain);
        uint64_t bytes = chain_disk_bytes(p.kit.chain);
        prune_to(&p.kit, heights[i]);
        map_expect(&before, &p.kit, heights[i] == 0 ? -1 : heights[i] < most ? heights[i] : most);
        cr_assert_eq(chain_prune_height(p.kit.chain), naive_prune_height(p.kit.chain));
        cr_assert_leq(chain_disk_bytes(p.kit.chain), bytes);
        chain_check_index(p.kit.chain);
        kit_restart(&p.kit);
        cr_assert_eq(chain_prune_height(p.kit.chain), naive_prune_height(p.kit.chain));
        kit_expect_hash(&p.kit, hash);
    }
    int32_t lost = chain_prune_height(p.kit.chain);
    cr_assert(lost > 90 && lost <= most, "%d", lost);
    cr_assert(chain_has_data(p.kit.chain, lost + 1, BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO));
    cr_assert(!chain_has_data(p.kit.chain, lost, BLOCK_HAVE_DATA));
    grow(&p, 20);
    tree_fresh_hash(&p.tree, p.tip, hash);
    kit_expect_hash(&p.kit, hash);
    pruned_free(&p);
}

Test(chain_prune, a_chain_that_never_was)
{
    static struct pruned p;
    struct error e = {0};
    bool was = true;
    pruned_new(&p, 0, 3);
    cr_assert(!chain_is_pruned(p.kit.chain) && !chain_prune_due(p.kit.chain));
    kit_flush(&p.kit);
    cr_assert_eq(chain_index_pruned(&p.kit.ports.index, &was, &e), RESULT_OK);
    cr_assert(!was);
    cr_assert(chain_has_data(p.kit.chain, 0, BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO), "genesis never has undo data");
    pruned_free(&p);
}

Test(chain_prune, the_index_remembers)
{
    static struct pruned p;
    struct error e = {0};
    bool was = true;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 1); /* no file ends there */
    cr_assert_eq(chain_index_pruned(&p.kit.ports.index, &was, &e), RESULT_OK);
    cr_assert(!was);
    prune_to(&p.kit, 100);
    cr_assert_eq(chain_index_pruned(&p.kit.ports.index, &was, &e), RESULT_OK);
    cr_assert(was);
    cr_assert(p.kit.chain->have_pruned);
    kit_restart(&p.kit);
    cr_assert(p.kit.chain->have_pruned);
    pruned_free(&p);
}

Test(chain_prune, by_time)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, 30);
    const struct chain *c = p.kit.chain;
    for (int32_t h = 0; h <= 30; h++) {
        int64_t time = c->active[h]->header.time_max;
        cr_assert(chain_first_since(c, time) == c->active[h]);
        cr_assert(chain_first_since(c, time + 1) == chain_at(c, h + 1));
    }
    cr_assert(chain_first_since(c, INT64_MIN) == c->active[0]);
    pruned_free(&p);
}

/* ---- locks ---- */

Test(chain_prune, locks)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    chain_prune_lock(p.kit.chain, "first", 60);
    chain_prune_lock(p.kit.chain, "second", 90);
    struct map before;
    map_take(&before, p.kit.chain);
    prune_to(&p.kit, 100);
    map_expect(&before, &p.kit, 60 - 11);
    chain_prune_lock(p.kit.chain, "first", INT32_MAX); /* moves */
    map_take(&before, p.kit.chain);
    prune_to(&p.kit, 100);
    map_expect(&before, &p.kit, 90 - 11);
    cr_assert(chain_prune_unlock(p.kit.chain, "second"));
    cr_assert(!chain_prune_unlock(p.kit.chain, "second"));
    map_take(&before, p.kit.chain);
    prune_to(&p.kit, 100);
    map_expect(&before, &p.kit, 100);
    pruned_free(&p);
}

/* A lock at the tip goes back with it: what was left may have to be read again. */
Test(chain_prune, locks_go_back_with_the_tip)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, 20);
    chain_prune_lock(p.kit.chain, "index", 20);
    chain_prune_lock(p.kit.chain, "low", 3);
    chain_invalidate(p.kit.chain, p.kit.chain->active[15]);
    kit_run(&p.kit);
    cr_assert_eq(p.kit.chain->prune_locks[0].height, 14);
    cr_assert_eq(p.kit.chain->prune_locks[1].height, 3);
    pruned_free(&p);
}

/* ---- by size ---- */

/* Feeds as the node does: a look after each block. */
Test(chain_prune, by_size)
{
    static struct pruned p;
    struct error e = {0};
    uint64_t target = 150000;
    size_t looks = 0;
    uint64_t at_600 = 0;
    pruned_new(&p, target, 1);
    p.kit.chain->params.prune_after_height = 600;
    for (int i = 0; i < 800; i++) {
        grow(&p, 1);
        looks += chain_prune_due(p.kit.chain);
        cr_assert_eq(chain_prune(p.kit.chain, &e), RESULT_OK, "%s", e.text);
        cr_assert(!chain_prune_due(p.kit.chain));
        int32_t lost = chain_prune_height(p.kit.chain), height = chain_height(p.kit.chain);
        if (height == 600) at_600 = chain_disk_bytes(p.kit.chain);
        cr_assert(lost == -1 || (height > 600 && lost <= height - MIN_BLOCKS_TO_KEEP), "%d of %d", lost, height);
    }
    cr_assert_gt(at_600, target, "pruning had to wait, at %llu", (unsigned long long)at_600);
    cr_assert_gt(looks, 20);
    cr_assert_lt(looks, 800);
    cr_assert_lt(chain_disk_bytes(p.kit.chain), target);
    cr_assert_gt(chain_disk_bytes(p.kit.chain), target * 3 / 4, "no more goes than must");
    cr_assert_gt(chain_prune_height(p.kit.chain), 0);
    char hash[65];
    tree_fresh_hash(&p.tree, p.tip, hash);
    kit_expect_hash(&p.kit, hash);
    pruned_free(&p);
}

/* Too little to be reached: everything goes but the last blocks. */
Test(chain_prune, a_target_out_of_reach)
{
    static struct pruned p;
    struct error e = {0};
    pruned_new(&p, 1, BLOCKS);
    p.kit.chain->params.prune_after_height = 100;
    struct map before;
    map_take(&before, p.kit.chain);
    cr_assert_eq(chain_prune(p.kit.chain, &e), RESULT_OK);
    map_expect(&before, &p.kit, BLOCKS - MIN_BLOCKS_TO_KEEP);
    pruned_free(&p);
}

/* While there are headers far ahead, more is deleted at once. */
Test(chain_prune, more_at_once_while_catching_up)
{
    static struct pruned p;
    struct error e = {0};
    for (int ahead = 0; ahead < 2; ahead++) {
        pruned_new(&p, UINT64_MAX - 1, BLOCKS);
        p.kit.chain->params.prune_after_height = 100;
        struct tree_block *more = ahead ? tree_mine(&p.tree, p.tip) : p.tip;
        struct block_node *n;
        struct verdict v = {0};
        cr_assert(chain_accept_header(p.kit.chain, &more->block->header, p.kit.now_s, false, &n, &v));
        cr_assert(chain_is_initial_download(p.kit.chain, p.kit.now_s));
        uint64_t used = chain_disk_bytes(p.kit.chain);
        p.kit.chain->options.prune_target = used + 100;
        cr_assert_eq(chain_prune(p.kit.chain, &e), RESULT_OK);
        int32_t lost = chain_prune_height(p.kit.chain);
        cr_assert(ahead ? lost > 80 : lost > 0 && lost < 40, "%d", lost);
        pruned_free(&p);
    }
}

/* ---- blocks that are gone ---- */

Test(chain_prune, blocks_come_again)
{
    static struct pruned p;
    struct error e = {0};
    struct verdict v = {0};
    struct block_node *n;
    bool is_new;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    const struct block *b = p.tree.blocks[50]->block;
    cr_assert_eq(chain_accept_block(p.kit.chain, b, p.kit.now_s, 0, NULL, &n, &is_new, &v, &e), RESULT_OK);
    cr_assert(verdict_ok(&v) && !is_new && !(n->status & BLOCK_HAVE_DATA), "nobody asked for it");
    cr_assert_eq(chain_accept_block(p.kit.chain, b, p.kit.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e),
                 RESULT_OK);
    cr_assert(verdict_ok(&v) && is_new && (n->status & BLOCK_HAVE_DATA) && !(n->status & BLOCK_HAVE_UNDO));
    kit_run(&p.kit);
    kit_restart(&p.kit);
    n = p.kit.chain->active[50];
    struct block *read;
    cr_assert_eq(chain_read_block(p.kit.chain, n, &read, &e), RESULT_OK, "%s", e.text);
    cr_assert(span_equal(read->raw, b->raw));
    block_free(read);
    cr_assert_eq(chain_prune_height(p.kit.chain), naive_prune_height(p.kit.chain));
    grow(&p, BLOCKS); /* its file goes in its turn */
    prune_to(&p.kit, BLOCKS + 100);
    cr_assert(!(p.kit.chain->active[50]->status & BLOCK_HAVE_DATA));
    pruned_free(&p);
}

/* Feeds without connecting what is in between. */
static struct block_node *accept(struct pruned *p, const struct block *b)
{
    struct error e = {0};
    struct verdict v = {0};
    struct block_node *n;
    bool is_new;
    enum result r = chain_accept_block(p->kit.chain, b, p->kit.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    cr_assert(verdict_ok(&v) && is_new, "%s", v.reason);
    return n;
}

/* A branch whose first block was pruned has the most work: it cannot be reached until that block comes again. */
Test(chain_prune, a_branch_with_a_hole, .timeout = 60)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, 150);
    p.tree.big_outputs = 0;
    grow(&p, 1);
    while (node_of(&p.kit, p.tip)->file == node_of(&p.kit, p.tip->prev)->file) grow(&p, 1);
    /* The next block ends up in the file of the last one, and the branch's first block is to be the file's highest. */
    p.kit.chain->options.max_file_bytes = 1;
    struct tree_block *fork = p.tip, *first = tree_mine(&p.tree, fork), *main_tip = fork;
    p.kit.chain->options.max_file_bytes = FILE_BYTES;
    accept(&p, first->block);
    kit_run(&p.kit);
    cr_assert_eq(node_of(&p.kit, first)->file, node_of(&p.kit, fork)->file);
    p.kit.chain->options.max_file_bytes = 1; /* the active chain goes on in files of its own */
    for (int i = 0; i < 300; i++) {
        main_tip = tree_mine(&p.tree, main_tip);
        if (i == 1) p.kit.chain->options.max_file_bytes = 1 << 20;
        accept(&p, main_tip->block);
        if (i == 0) { /* a high block beside it keeps the first active one from going with the branch's */
            p.kit.chain->options.max_file_bytes = 1 << 20;
            continue;
        }
        kit_run(&p.kit);
    }
    cr_assert(chain_tip(p.kit.chain) == node_of(&p.kit, main_tip));
    prune_to(&p.kit, first->node.height);
    struct block_node *hole = node_of(&p.kit, first);
    cr_assert(chain_block_pruned(p.kit.chain, hole));
    cr_assert(chain_has_data(p.kit.chain, first->node.height, BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO));
    struct tree_block *tip = first;
    for (int i = 0; i < 302; i++) {
        tip = tree_mine(&p.tree, tip);
        accept(&p, tip->block);
        kit_run(&p.kit);
    }
    cr_assert(chain_tip(p.kit.chain) == node_of(&p.kit, main_tip), "the better branch has a hole");
    cr_assert(chain_missing_data(p.kit.chain, node_of(&p.kit, tip)) == hole);
    kit_restart(&p.kit);
    kit_run(&p.kit);
    cr_assert(chain_tip(p.kit.chain) == node_of(&p.kit, main_tip));
    accept(&p, first->block);
    kit_run(&p.kit);
    cr_assert(chain_tip(p.kit.chain) == node_of(&p.kit, tip), "the hole is filled");
    char hash[65];
    tree_fresh_hash(&p.tree, tip, hash);
    kit_expect_hash(&p.kit, hash);
    pruned_free(&p);
}

/* A block without its parent's data waits; pruned meanwhile, it waits no longer. */
Test(chain_prune, a_pruned_block_that_waited)
{
    static struct pruned p;
    struct verdict v = {0};
    struct block_node *n;
    pruned_new(&p, PRUNE_MANUALLY, 5);
    struct tree_block *parent = tree_mine(&p.tree, tree_back(p.tip, 3)), *child = tree_mine(&p.tree, parent);
    cr_assert(chain_accept_header(p.kit.chain, &parent->block->header, p.kit.now_s, false, &n, &v));
    accept(&p, child->block);
    grow(&p, BLOCKS);
    prune_to(&p.kit, 100);
    cr_assert(chain_block_pruned(p.kit.chain, node_of(&p.kit, child)));
    kit_restart(&p.kit);
    kit_run(&p.kit);
    accept(&p, parent->block);
    kit_run(&p.kit);
    accept(&p, child->block);
    kit_run(&p.kit);
    cr_assert_gt(node_of(&p.kit, child)->chain_tx_count, 0);
    cr_assert(chain_tip(p.kit.chain) == node_of(&p.kit, p.tip));
    pruned_free(&p);
}

/* No block is taken back that was pruned: the chain ends above the last of them, and goes on from there. */
Test(chain_prune, invalidating_a_pruned_block)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    int32_t lost = chain_prune_height(p.kit.chain);
    struct block_node *next = chain_at(p.kit.chain, lost + 1);
    cr_assert_gt(lost, 60);
    chain_invalidate(p.kit.chain, chain_at(p.kit.chain, lost - 10));
    kit_run(&p.kit);
    cr_assert_eq(chain_height(p.kit.chain), lost);
    chain_invalidate(p.kit.chain, chain_at(p.kit.chain, lost - 10)); /* nothing can be done */
    kit_run(&p.kit);
    cr_assert_eq(chain_height(p.kit.chain), lost);
    cr_assert_eq(chain_prune_height(p.kit.chain), lost);
    kit_restart(&p.kit);
    kit_run(&p.kit);
    cr_assert_eq(chain_height(p.kit.chain), lost);
    next = chain_find(p.kit.chain, &p.tree.blocks[lost + 1]->block->hash);
    chain_reconsider(p.kit.chain, next);
    kit_run(&p.kit);
    cr_assert_eq(chain_height(p.kit.chain), BLOCKS);
    pruned_free(&p);
}

/* A reorganisation that would take back pruned blocks stops with a failure of the machine; nobody is to blame. */
Test(chain_prune, a_reorganisation_too_deep, .timeout = 60)
{
    static struct pruned p;
    struct error e = {0};
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    struct tree_block *tip = p.tree.blocks[40];
    while (tip->node.height < BLOCKS + 1) {
        tip = tree_mine(&p.tree, tip);
        accept(&p, tip->block);
    }
    cr_assert_eq(kit_try_run(&p.kit, NULL, NULL, NULL, &e), RESULT_NOT_FOUND);
    cr_assert_str_eq(e.text, "Failed to disconnect block.");
    for (size_t i = 0; i < p.kit.chain->tree.count; i++)
        cr_assert_eq(p.kit.chain->tree.nodes[i]->status & BLOCK_ANY_FAILURE, 0);
    chain_check_index(p.kit.chain);
    pruned_free(&p);
}

Test(chain_prune, verification_stops_where_data_are_missing)
{
    static struct pruned p;
    struct error e = {0};
    bool ok = false;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    for (int level = 0; level <= 4; level++) {
        cr_assert_eq(chain_verify(p.kit.chain, level, 0, &ok, &e), RESULT_OK, "%s", e.text);
        cr_assert(ok, "level %d", level);
    }
    pruned_free(&p);
}

/* The last file is where the next block goes, whatever is in it. */
Test(chain_prune, the_last_file_stays)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    p.kit.chain->options.max_file_bytes = 1;
    struct block_node *n = accept(&p, p.tree.blocks[50]->block);
    cr_assert_eq(n->file, p.kit.chain->file_count - 1);
    prune_to(&p.kit, 100);
    cr_assert(n->status & BLOCK_HAVE_DATA);
    grow(&p, 1);
    prune_to(&p.kit, 100);
    cr_assert(!(n->status & BLOCK_HAVE_DATA));
    pruned_free(&p);
}

/* Numbers without a file are passed over when everything is written. */
Test(chain_prune, a_gap_among_the_files)
{
    static struct pruned p;
    struct error e = {0};
    struct verdict v = {0};
    struct block_node *n;
    bool is_new;
    pruned_new(&p, 0, 3);
    const struct block *b = tree_mine(&p.tree, p.tip)->block;
    struct block_position at = {.file = 2, .pos = 8};
    put_byte(&p.kit, FLAT_BLOCKS, 2);
    cr_assert_eq(chain_accept_block(p.kit.chain, b, p.kit.now_s, ACCEPT_REQUESTED, &at, &n, &is_new, &v, &e),
                 RESULT_OK);
    kit_flush(&p.kit);
    pruned_free(&p);
}

/* ---- at start-up ---- */

Test(chain_prune, coins_that_cannot_be_made_anew)
{
    static struct pruned p;
    struct error e = {0};
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    kit_close_chain(&p.kit);
    memory_store_close(&p.kit.ports.coins);
    memory_store_open(&p.kit.ports.coins, &p.kit.fault);
    cr_assert_eq(kit_try_open(&p.kit, &e), RESULT_CORRUPT);
    p.kit.chain = NULL;
    pruned_free(&p);
}

Test(chain_prune, leftovers_go_at_the_start)
{
    static struct pruned p;
    pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
    prune_to(&p.kit, 100);
    put_byte(&p.kit, FLAT_BLOCKS, 0);
    put_byte(&p.kit, FLAT_UNDO, 0);
    cr_assert_eq(p.kit.chain->files[1].size, 0);
    put_byte(&p.kit, FLAT_UNDO, 1);
    kit_restart(&p.kit);
    cr_assert(!file_exists(&p.kit, FLAT_BLOCKS, 0) && !file_exists(&p.kit, FLAT_UNDO, 0));
    cr_assert(!file_exists(&p.kit, FLAT_UNDO, 1));
    cr_assert(file_exists(&p.kit, FLAT_BLOCKS, (uint32_t)p.kit.chain->file_count - 1));
    pruned_free(&p);
}

/* A reindex reads blk files up to the first gap; what it cannot use goes. */
Test(chain_prune, before_a_reindex)
{
    static struct pruned p;
    for (int pruned = 0; pruned < 2; pruned++) {
        pruned_new(&p, PRUNE_MANUALLY, BLOCKS);
        if (pruned) prune_to(&p.kit, 100);
        uint32_t files = (uint32_t)p.kit.chain->file_count;
        kit_flush(&p.kit);
        kit_close_chain(&p.kit);
        memory_store_close(&p.kit.ports.coins);
        memory_store_open(&p.kit.ports.coins, &p.kit.fault);
        memory_store_close(&p.kit.ports.index);
        memory_store_open(&p.kit.ports.index, &p.kit.fault);
        p.kit.options.reindex = true;
        kit_open(&p.kit);
        cr_assert(p.kit.chain->reindexing && !p.kit.chain->have_pruned);
        cr_assert(file_exists(&p.kit, FLAT_BLOCKS, 0));
        cr_assert_eq(p.kit.ports.files.ops->count(p.kit.ports.files.ctx, FLAT_BLOCKS), pruned ? 1 : files);
        cr_assert_leq(p.kit.ports.files.ops->count(p.kit.ports.files.ctx, FLAT_UNDO), 1);
        pruned_free(&p);
    }
}

/* ---- crashes ---- */

struct crash {
    struct pruned base; /* flushed and closed */
    struct tree_block *more;
    char hash[65];
};

/* Grows, prunes, grows and prunes again. */
static enum result work(struct kit *k, struct crash *c, struct error *e)
{
    enum result r = kit_try_open(k, e);
    if (!r) r = kit_try_run(k, NULL, NULL, NULL, e);
    struct verdict v;
    struct tree_block *half = tree_back(c->more, 3);
    for (int32_t i = 3; !r && i-- > 0;) r = kit_try_feed(k, tree_back(half, i)->block, &v, e);
    if (!r) r = chain_prune_to(k->chain, 60, e);
    for (int32_t i = 3; !r && i-- > 0;) r = kit_try_feed(k, tree_back(c->more, i)->block, &v, e);
    if (!r) r = chain_prune_to(k->chain, 95, e);
    if (!r) r = chain_flush(k->chain, true, e);
    return r;
}

/* What the index counts on is there, and what it does not count on is not. */
static void expect_files(struct kit *k, uint64_t n)
{
    const struct chain *c = k->chain;
    for (uint32_t i = 0; i + 1 < c->file_count; i++)
        cr_assert_eq(file_exists(k, FLAT_BLOCKS, i), c->files[i].size > 0, "file %u after write %llu", i,
                     (unsigned long long)n);
    for (int32_t h = 1; h <= chain_height(c); h++) {
        struct block *b = NULL;
        struct error e = {0};
        enum result r = chain_read_block(k->chain, c->active[h], &b, &e);
        cr_assert_eq(r, c->active[h]->status & BLOCK_HAVE_DATA ? RESULT_OK : RESULT_NOT_FOUND, "%s", e.text);
        if (b) block_free(b);
    }
}

static void expect_recovered(struct kit *k, struct crash *c, uint64_t n)
{
    struct error e = {0};
    struct verdict v;
    kit_open(k);
    kit_run(k);
    expect_files(k, n);
    for (int32_t i = 6; i-- > 0;) {
        enum result r = kit_try_feed(k, tree_back(c->more, i)->block, &v, &e);
        cr_assert_eq(r, RESULT_OK, "%s", e.text);
    }
    kit_expect_hash(k, c->hash);
    prune_to(k, 95);
    expect_files(k, n);
    kit_expect_hash(k, c->hash);
    bool ok = false;
    cr_assert_eq(chain_verify(k->chain, 4, 20, &ok, &e), RESULT_OK, "%s", e.text);
    cr_assert(ok);
}

Test(chain_prune, every_write_fails, .timeout = 600)
{
    static struct crash c;
    static struct kit k, after;
    pruned_new(&c.base, PRUNE_MANUALLY, BLOCKS);
    c.more = tree_grow(&c.base.tree, c.base.tip, 6);
    tree_fresh_hash(&c.base.tree, c.more, c.hash);
    kit_flush(&c.base.kit);
    kit_close_chain(&c.base.kit);
    c.base.kit.options.check_index = false;
    for (int way = 0; way < 4; way++) {
        c.base.kit.options.cache_bytes = way & 2 ? 0 : 64 << 20; /* 0: a flush after every block */
        uint64_t n = 1;
        for (bool done = false; !done; n++) {
            struct error e = {0};
            kit_clone(&k, &c.base.kit);
            k.fault = (struct memory_fault){.fail_after = n, .result = RESULT_IO, .apply_torn = way & 1};
            enum result r = work(&k, &c, &e);
            done = k.fault.writes < n;
            cr_assert(done ? r == RESULT_OK : r == RESULT_OK || r == RESULT_IO, "%s", e.text);
            kit_clone(&after, &k);
            kit_free(&k);
            expect_recovered(&after, &c, n);
            kit_free(&after);
        }
        cr_assert_gt(n, 25, "%llu writes", (unsigned long long)n);
    }
    pruned_free(&c.base);
}

/* ---- anything in any order ---- */

Test(chain_prune, random_histories, .timeout = 300)
{
    static struct pruned p;
    static struct kit crashed;
    struct random random;
    random_init_u64(&random, 77);
    for (int round = 0; round < 4; round++) {
        pruned_new(&p, PRUNE_MANUALLY, 330);
        p.kit.options.cache_bytes = p.kit.chain->options.cache_bytes = round % 2 ? 0 : 64 << 20;
        for (int step = 0; step < 120; step++) {
            struct tree_block *from = tree_back(p.tip, (int32_t)random_below(&random, 8));
            switch (random_below(&random, 6)) {
            case 0: prune_to(&p.kit, chain_height(p.kit.chain) - (int32_t)random_below(&random, 320)); break;
            case 1:
                chain_prune_lock(p.kit.chain, "index", chain_height(p.kit.chain) - (int32_t)random_below(&random, 330));
                break;
            case 2: kit_restart(&p.kit); break;
            case 3:
                kit_clone(&crashed, &p.kit);
                kit_open(&crashed);
                kit_run(&crashed);
                expect_files(&crashed, 0);
                kit_free(&crashed);
                break;
            default:
                for (uint64_t i = random_below(&random, 10) + 1; i--;) {
                    from = tree_mine(&p.tree, from);
                    accept(&p, from->block);
                    kit_run(&p.kit);
                }
                if (from->node.height > p.tip->node.height) p.tip = from;
            }
            expect_files(&p.kit, 0);
            cr_assert_eq(chain_prune_height(p.kit.chain), naive_prune_height(p.kit.chain));
            cr_assert_leq(chain_prune_height(p.kit.chain), chain_height(p.kit.chain) - MIN_BLOCKS_TO_KEEP + 8);
        }
        char hash[65];
        tree_fresh_hash(&p.tree, p.tip, hash);
        cr_assert(chain_tip(p.kit.chain) == node_of(&p.kit, p.tip));
        cr_assert(p.kit.chain->have_pruned);
        kit_expect_hash(&p.kit, hash);
        pruned_free(&p);
    }
}
