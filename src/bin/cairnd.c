/* cairnd: the node. */
#include "daemon/daemon.h"

int main(int argc, char **argv)
{
    return daemon_main(argc, (const char *const *)argv);
}
