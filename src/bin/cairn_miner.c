/* cairn-miner: mines with the processor for a node that serves getblocktemplate. */
#include "daemon/miner.h"

int main(int argc, char **argv)
{
    return miner_main(argc, (const char *const *)argv);
}
