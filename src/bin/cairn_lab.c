/* cairn-lab: the 51% laboratory. */
#include "daemon/version.h"
#include "lab/cli.h"

int main(int argc, char **argv)
{
    return lab_main(argc, argv, CAIRN_VERSION);
}
