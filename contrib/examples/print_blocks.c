/* Lists the blocks in the block files of a node:  print_blocks FOLDER [NETWORK]
 * FOLDER is the `blocks` folder of cairn or Bitcoin Core; NETWORK is main (default), test, testnet4, signet or regtest.
 * One line a block: hash, time, transactions, bytes, and "ok" or the rule that it breaks on its own. */
#include <cairn/cairn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *network = argc > 2 ? argv[2] : "main";
    struct cairn_block_files *files = argc > 1 ? cairn_block_files_open(argv[1], network) : NULL;
    if (!files) {
        fprintf(stderr, "usage: print_blocks FOLDER [main|test|testnet4|signet|regtest]\n"
                        "FOLDER must hold blk00000.dat\n");
        return 2;
    }
    size_t blocks = 0, transactions = 0, bad = 0;
    for (struct cairn_block *block; (block = cairn_block_files_next(files)); blocks++) {
        uint8_t hash[32];
        char text[CAIRN_HASH_TEXT];
        struct cairn_header header;
        struct cairn_verdict verdict;
        cairn_block_hash(block, hash);
        cairn_block_header(block, &header);
        bad += !cairn_block_check(block, network, &verdict);
        printf("%s %u %zu %zu %s\n", cairn_hash_text(text, hash), header.time, cairn_block_tx_count(block),
               cairn_block_size(block), verdict.valid ? "ok" : verdict.reason);
        transactions += cairn_block_tx_count(block);
        cairn_block_free(block);
    }
    printf("%zu blocks, %zu transactions, %zu blocks that break a rule\n", blocks, transactions, bad);
    cairn_block_files_free(files);
    return bad ? 1 : 0;
}
