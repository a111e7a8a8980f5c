/* The option rows of cairn-miner, sorted by name. */
#include "base/compiler.h"
#include "daemon/options.h"

static const struct option_row rows[] = {
    {"?", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"address", OPTION_STRING, GROUP_MINING, OPTION_NO_NEGATION | OPTION_NEEDS_VALUE, "<address>", NULL,
     "Whom the blocks pay: any address of the chain."},
    {"benchmark", OPTION_BOOL, GROUP_COMMANDS, 0, NULL, "0",
     "Measure each kernel against a plain loop over OpenSSL's SHA-256, in turns, print the ratios and exit."},
    {"blocks", OPTION_INT, GROUP_MINING, OPTION_NO_NEGATION, "<n>", "0",
     "Stop after so many blocks that the node accepted; 0 goes on."},
    {"chain", OPTION_STRING, GROUP_CHAIN, 0, "<chain>", "main",
     "The chain that the node follows: main, test, testnet4, signet or regtest."},
    {"conf", OPTION_STRING, GROUP_GENERAL, 0, "<file>", "bitcoin.conf",
     "Read the configuration from this file, relative to the data directory; -noconf reads no file."},
    {"datadir", OPTION_STRING, GROUP_GENERAL, OPTION_NO_NEGATION, "<dir>", NULL,
     "The data directory of the node, where the cookie is. The default is .bitcoin in the home directory."},
    {"gen", OPTION_STRING, GROUP_GENERAL, OPTION_HIDDEN, "<what>", NULL, ""},
    {"h", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"help", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0", "Print this help and exit; -h and -? do the same."},
    {"help-debug", OPTION_BOOL, GROUP_GENERAL, OPTION_HIDDEN, NULL, "0", ""},
    {"includeconf", OPTION_LIST, GROUP_GENERAL, OPTION_HIDDEN, "<file>", NULL, ""},
    {"kernel", OPTION_STRING, GROUP_MINING, OPTION_NO_NEGATION | OPTION_NEEDS_VALUE, "<name>", "auto",
     "The code that hashes: c, sse2, avx2, avx512, sha-ni, or auto, which tries those that the processor can run and "
     "takes the fastest."},
    {"longpoll", OPTION_BOOL, GROUP_MINING, 0, NULL, "1",
     "Have the node say when its template is out of date; without it new work is asked for once a minute."},
    {"regtest", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0",
     "The node follows the regression test chain; the same as -chain=regtest."},
    {"retries", OPTION_INT, GROUP_MINING, OPTION_NO_NEGATION, "<n>", "0",
     "Give up after so many tries in a row to reach the node; 0 never gives up."},
    {"rpcclienttimeout", OPTION_INT, GROUP_GENERAL, 0, "<s>", "900",
     "Seconds to wait for an answer; 0 waits for ever."},
    {"rpcconnect", OPTION_STRING, GROUP_GENERAL, 0, "<host>[:<port>]", "127.0.0.1",
     "The machine on which the node runs."},
    {"rpccookiefile", OPTION_STRING, GROUP_GENERAL, 0, "<file>", ".cookie",
     "Read the password of the day from this file, relative to the directory of the chain."},
    {"rpcpassword", OPTION_STRING, GROUP_GENERAL, OPTION_SENSITIVE, "<password>", "", "Password of the RPC user."},
    {"rpcport", OPTION_STRING, GROUP_GENERAL, OPTION_NETWORK_ONLY, "<port>", NULL,
     "Port of the node's RPC server (default: 8332, testnet3: 18332, testnet4: 48332, signet: 38332, regtest: 18443)."},
    {"rpcuser", OPTION_STRING, GROUP_GENERAL, OPTION_SENSITIVE, "<name>", "", "Name of the RPC user."},
    {"rpcwallet", OPTION_STRING, GROUP_GENERAL, OPTION_HIDDEN, "<name>", NULL, ""},
    {"signet", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", "The node follows signet; the same as -chain=signet."},
    {"signetchallenge", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"signetseednode", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"testactivationheight", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"testnet", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", "The node follows testnet3; the same as -chain=test."},
    {"testnet4", OPTION_BOOL, GROUP_CHAIN, 0, NULL, "0", "The node follows testnet4; the same as -chain=testnet4."},
    {"threads", OPTION_INT, GROUP_MINING, OPTION_NO_NEGATION, "<n>", "0",
     "Threads that hash; 0 is one for each processor."},
    {"vbparams", OPTION_LIST, GROUP_CHAIN, OPTION_HIDDEN, NULL, NULL, ""},
    {"version", OPTION_BOOL, GROUP_GENERAL, 0, NULL, "0", "Print the version and exit."},
    {"versionrolling", OPTION_BOOL, GROUP_MINING, 0, NULL, "0",
     "Also vary the version bits that BIP320 leaves free, but for those in which the template has something to vote "
     "on."},
};

const struct option_table options_miner = {
    .program = "cairn-miner",
    .summary = "CPU miner for a Bitcoin node",
    .usage =
        "cairn-miner searches for blocks with all cores of the processor, for a node that serves getblocktemplate:\n"
        "cairnd, Bitcoin Core and others. It finds the node as cairn-cli does.\n"
        "\n"
        "Usage: cairn-miner [options] -address=<address>\n"
        "or:    cairn-miner -benchmark\n",
    .rows = rows,
    .count = ARRAY_LEN(rows),
};
