/* cairn-sim: networks of nodes in virtual time. */
#include "daemon/version.h"
#include "sim/sim.h"

int main(int argc, char **argv)
{
    return sim_main(argc, argv, CAIRN_VERSION);
}
