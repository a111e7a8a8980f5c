/* What the files of the chain share among themselves. */
#ifndef CAIRN_CHAIN_CHAIN_INTERNAL_H
#define CAIRN_CHAIN_CHAIN_INTERNAL_H

#include "chain/chain.h"

/* ---- chain_files.c: blocks and undo data in flat files ---- */

enum { RECORD_HEADER = 8 }; /* magic and length in front of each record */

/* Appends BLOCK's bytes to the current blk file and sets the node's position. */
MUST_USE enum result files_write_block(struct chain *c, struct block_node *n, struct span raw, struct error *e);

/* Notes that the block already lies at AT (reindex). */
void files_note_block(struct chain *c, struct block_node *n, struct span raw, const struct block_position *at);

/* Appends undo data to the rev file of N's block file and sets the node's position. */
MUST_USE enum result files_write_undo(struct chain *c, struct block_node *n, struct span undo, struct error *e);

/* Syncs the files written since the last call. */
MUST_USE enum result files_sync(struct chain *c, struct error *e);

/* ---- chain_index.c: the block index on disk ---- */

MUST_USE enum result index_load(struct chain *c, struct error *e);
MUST_USE enum result index_write_dirty(struct chain *c, struct error *e);

#define INDEX_KEY_PRUNED "p"

/* ---- chain_prune.c ---- */

/* A file of KIND grows from FROM to TO bytes. */
void prune_note_growth(struct chain *c, enum flat_kind kind, uint64_t from, uint64_t to);

/* After the tip went back to HEIGHT: locks above it go back with it. */
void prune_locks_move_back(struct chain *c, int32_t height);

/* Deletes files that the index does not count on any more. */
void prune_remove_leftovers(struct chain *c);

/* A reindex reads blk files up to the first gap and writes every undo file anew: deletes the others. */
MUST_USE enum result prune_before_reindex(struct chain *c, struct error *e);

/* ---- chain_connect.c ---- */

void connect_work_clear(struct connect_work *w);

/* Applies BLOCK (node N, whose parent is the state of COINS) to COINS. Broken rule: verdict filled, COINS as before.
 * The spent coins are left in W, good until coins_end_block. */
MUST_USE enum result connect_block(struct chain *c, struct coins *coins, struct block_node *n,
                                   const struct block *block, struct connect_work *w, struct verdict *v,
                                   struct error *e);

/* Takes back in the coins what connect_block just did (its undo data could not be written). */
void connect_undone(struct chain *c, struct block_node *n, const struct block *block);

/* Applies a block that was checked before, whatever of it is in the coins already. */
void apply_unchecked(struct chain *c, const struct block_node *n, const struct block *block);

/* Takes BLOCK back. *CLEAN is false where COINS did not look as the block must have left it. */
MUST_USE enum result disconnect_block(struct coins *coins, const struct block_node *n, const struct block *block,
                                      const struct undo *undo, bool *clean, struct error *e);

/* Whether the scripts of the block at N must be run; if not, why in the log's words (*REASON is set either way). */
bool scripts_needed(const struct chain *c, const struct block_node *n, const char **reason);

/* ---- chain_scripts.c ---- */

/* Script checks of one block, running on the workers. */
struct script_run;

/* Starts verifying every input of BLOCK; OUTS are the spent outputs, flat in block order. */
struct script_run *script_run_start(struct chain *c, const struct block *block, const struct tx_out *outs,
                                    unsigned flags);
/* Waits; false with the verdict of the first input (in block order) that failed. Frees RUN. */
MUST_USE bool script_run_finish(struct chain *c, struct script_run *run, struct verdict *v);

/* ---- chain_limit.c ---- */

/* True where N's branch must not be joined because more than max_reorg blocks would be thrown away. */
bool limit_refuses(const struct chain *c, const struct block_node *n);

/* The chain is at rest, and BEST (may be NULL) is the best of all candidates: logged, once a branch, where the limit
 * keeps us from it. */
void limit_report(struct chain *c, const struct block_node *best);

/* ---- chain_step.c ---- */

/* The candidates anew from all blocks: after failures were taken back, or the order of arrival was changed. */
void candidates_rebuild(struct chain *c);

/* Marks N failed and its descendants failed with it. */
void mark_failed(struct chain *c, struct block_node *n);

/* Sets the transactions of N and of every descendant whose data wait for it; makes candidates of them. */
void block_received(struct chain *c, struct block_node *n, uint32_t tx_count);

/* Makes the active chain end at N. */
void set_active_tip(struct chain *c, struct block_node *n);

/* ---- chain_recover.c ---- */

/* Brings the coins to a consistent state and sets the active tip to it. */
MUST_USE enum result recover_coins(struct chain *c, struct error *e);

#endif
