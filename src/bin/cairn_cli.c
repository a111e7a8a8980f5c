/* cairn-cli: sends a command to a node and prints the answer. */
#include "daemon/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, (const char *const *)argv);
}
