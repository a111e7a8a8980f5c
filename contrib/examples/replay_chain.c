/* Replays block files into a chain of its own, every script checked, and sums up the coins:
 *     replay_chain BLOCKS_FOLDER [NETWORK [CHAIN_FOLDER]]
 * BLOCKS_FOLDER as for print_blocks. The chain is kept in memory, or in CHAIN_FOLDER, where a second run goes on.
 * Blocks whose parent has not come yet are counted and left out. */
#include <cairn/chain.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Returns how many blocks were connected or stored; -1 where our machine failed. */
static long replay(struct cairn_chain *chain, struct cairn_block_files *files, struct cairn_error *error)
{
    long accepted = 0, refused = 0;
    for (struct cairn_block *block; (block = cairn_block_files_next(files));) {
        struct cairn_verdict verdict;
        enum cairn_process_status status = cairn_chain_process(chain, block, &verdict, error);
        cairn_block_free(block);
        if (status == CAIRN_PROCESS_FAILED) return -1;
        accepted += status == CAIRN_PROCESS_ACCEPTED;
        refused += status == CAIRN_PROCESS_INVALID;
        if (status == CAIRN_PROCESS_INVALID && refused <= 10) printf("refused: %s\n", verdict.reason);
    }
    printf("%ld blocks accepted, %ld refused\n", accepted, refused);
    return accepted;
}

static bool sum_coins(struct cairn_chain *chain, struct cairn_error *error)
{
    struct cairn_coins *coins = cairn_coins_new(chain, error);
    if (!coins) return false;
    uint64_t count = 0;
    int64_t total = 0;
    for (struct cairn_coin coin; cairn_coins_next(coins, &coin, error); count++) total += coin.output.value;
    cairn_coins_free(coins);
    printf("%" PRIu64 " coins, %" PRId64 ".%08" PRId64 " BTC\n", count, total / 100000000, total % 100000000);
    return error->text[0] == '\0';
}

int main(int argc, char **argv)
{
    const char *network = argc > 2 ? argv[2] : "main";
    struct cairn_block_files *files = argc > 1 ? cairn_block_files_open(argv[1], network) : NULL;
    if (!files) {
        fprintf(stderr, "usage: replay_chain BLOCKS_FOLDER [NETWORK [CHAIN_FOLDER]]\n");
        return 2;
    }
    struct cairn_error error = {""};
    struct cairn_chain_options options;
    cairn_chain_options_init(&options);
    options.threads = 4;
    options.assume_valid = "0";
    struct cairn_chain *chain = cairn_chain_open(network, argc > 3 ? argv[3] : NULL, &options, &error);
    bool ok = chain && replay(chain, files, &error) >= 0 && sum_coins(chain, &error);
    if (ok) {
        uint8_t tip[32];
        char text[CAIRN_HASH_TEXT];
        int32_t height = cairn_chain_height(chain);
        if (cairn_chain_hash(chain, height, tip)) printf("height %d %s\n", height, cairn_hash_text(text, tip));
    } else {
        fprintf(stderr, "%s\n", error.text);
    }
    cairn_chain_free(chain);
    cairn_block_files_free(files);
    return ok ? 0 : 1;
}
