/* The option rows of cairn-cli, sorted by name. */
#include "base/compiler.h"
#include "daemon/options.h"

static const struct option_row rows[] = {
    {"?", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"addrinfo", OPTION_BOOL, GROUP_COMMANDS, 0, NULL, "0", "Print how many addresses of nodes are known, by network."},
    {"chain", OPTION_STRING, GROUP_CHAIN, 0, "<chain>", "main",
     "The chain that the node follows: main, test, testnet4, signet or regtest."},
    {"color", OPTION_STRING, GROUP_GENERAL, OPTION_NO_NEGATION, "<when>", "auto",
     "Colour the output of -getinfo: always, never, or auto, which means on a terminal."},
    {"conf", OPTION_STRING, GROUP_GENERAL, 0, "<file>", "bitcoin.conf",
     "Read the configuration from this file, relative to the data directory; -noconf reads no file."},
    {"datadir", OPTION_STRING, GROUP_GENERAL, OPTION_NO_NEGATION, "<dir>", NULL,
     "The data directory of the node, where the cookie is. The default is .bitcoin in the home directory."},
    {"gen", OPTION_STRING, GROUP_GENERAL, OPTION_HIDDEN, "<what>", NULL, ""},
    {"generate", OPTION_BOOL, GROUP_COMMANDS, OPTION_HIDDEN, NULL, "0", ""},
    {"getinfo", OPTION_BOOL, GROUP_COMMANDS, 0, NULL, "0",
     "Print an overview of the node: chain, progress, connections."},
    {"h", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"help", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0", "Print this help and exit; -h and -? do the same."},
    {"help-debug", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"includeconf", OPTION_LIST, GROUP_GENERAL, OPTION_HIDDEN, "<file>", NULL, ""},
    {"ipcconnect", OPTION_STRING, GROUP_GENERAL, OPTION_HIDDEN, "<address>", "auto", ""},
    {"named", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0",
     "Parameters are written as name=value in place of being counted."},
    {"netinfo", OPTION_BOOL, GROUP_COMMANDS, 0, NULL, "0",
     "Print the connections of the node. A level from 0 to 4 may follow, then \"outonly\"; \"help\" explains them."},
    {"regtest", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0",
     "The node follows the regression test chain; the same as -chain=regtest."},
    {"rpcclienttimeout", OPTION_INT, GROUP_GENERAL, 0, "<s>", "900",
     "Seconds to wait for an answer; 0 waits for ever."},
    {"rpcconnect", OPTION_STRING, GROUP_GENERAL, 0, "<host>[:<port>]", "127.0.0.1",
     "The machine on which the node runs."},
    {"rpccookiefile", OPTION_STRING, GROUP_GENERAL, 0, "<file>", ".cookie",
     "Read the password of the day from this file, relative to the directory of the chain."},
    {"rpcid", OPTION_STRING, GROUP_GENERAL, OPTION_NO_NEGATION | OPTION_NEEDS_VALUE, "<id>", "1",
     "Identifier of the request."},
    {"rpcpassword", OPTION_STRING, GROUP_GENERAL, OPTION_SENSITIVE, "<password>", "", "Password of the RPC user."},
    {"rpcport", OPTION_STRING, GROUP_GENERAL, OPTION_NETWORK_ONLY, "<port>", NULL,
     "Port of the node's RPC server (default: 8332, testnet3: 18332, testnet4: 48332, signet: 38332, regtest: 18443)."},
    {"rpcuser", OPTION_STRING, GROUP_GENERAL, OPTION_SENSITIVE, "<name>", "", "Name of the RPC user."},
    {"rpcwait", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0", "Wait until the node answers."},
    {"rpcwaittimeout", OPTION_INT, GROUP_GENERAL, OPTION_NO_NEGATION, "<s>", "0",
     "Seconds after which -rpcwait gives up; 0 never gives up."},
    {"rpcwallet", OPTION_STRING, GROUP_GENERAL, OPTION_HIDDEN, "<name>", NULL, ""},
    {"signet", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", "The node follows signet; the same as -chain=signet."},
    {"signetchallenge", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"signetseednode", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"stdin", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0", "Read further parameters from standard input, one a line."},
    {"stdinrpcpass", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0",
     "Read the RPC password from the first line of standard input."},
    {"stdinwalletpassphrase", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"testactivationheight", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"testnet", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", "The node follows testnet3; the same as -chain=test."},
    {"testnet4", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", "The node follows testnet4; the same as -chain=testnet4."},
    {"vbparams", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"version", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0", "Print the version and exit."},
};

const struct option_table options_cli = {
    .program = "cairn-cli",
    .summary = "command line client of a Bitcoin node",
    .usage = "cairn-cli sends commands to a running node over JSON-RPC and prints the answers.\n"
             "\n"
             "The command \"help\" lists all commands; \"help <command>\" explains one.\n"
             "\n"
             "Usage: cairn-cli [options] <command> [parameters]\n"
             "or:    cairn-cli [options] -named <command> [name=value]...\n"
             "or:    cairn-cli [options] help [<command>]\n",
    .rows = rows,
    .count = ARRAY_LEN(rows),
};
