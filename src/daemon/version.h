/* The name and version that the programs print. */
#ifndef CAIRN_DAEMON_VERSION_H
#define CAIRN_DAEMON_VERSION_H

#define CAIRN_NAME    "cairn"
#define CAIRN_VERSION "0.1.0"

#endif
