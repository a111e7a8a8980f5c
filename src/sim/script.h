/* The language of hostile peers: one instruction a line, run from top to bottom on each connection.
 *
 *   handshake [silent]    version and verack (silent: nothing is said at all)
 *   wait SECONDS          both ends of a range are fine: wait 5-60
 *   repeat N              what follows, up to `end`, N times (0: for ever)
 *   end
 *   garbage BYTES         random bytes in the stream
 *   oversize NAME         a header that announces a payload above the limit
 *   checksum NAME         a message whose checksum is wrong
 *   unknown BYTES         a message that nobody knows
 *   truncated NAME        a payload of this message that ends too early
 *   ping N                that many pings
 *   inv N                 an inv of N blocks that nobody has
 *   getdata N             asks for N blocks that nobody has
 *   getheaders            asks for all headers
 *   getblock N            asks for N random blocks that exist
 *   getaddr
 *   headers low N         a chain of N headers from genesis
 *   headers best          those of the best chain
 *   headers orphan        one without a known parent
 *   block KIND            good, amount, missing, height, mutated, witness, work, old: announced and sent
 *   announce KIND         the same, but only its header
 *   compact KIND          the same as a compact block
 *   tx KIND               good, conflict (spends what another payment spends), again (one that exists), orphan (no
 * parent is there), invalid, mutated (a payment with another witness), low (no fee), junk txinv N announces N
 * transactions that nobody has txreal N              announces N payments that exist gettx N               asks for N
 * payments that exist addr N                addresses of nobody serve HOW             honest, silent, slow, mutate,
 * notfound: how requests are answered from here on read RATE             bytes a second from here on (0: as fast as it
 * comes) cut                   half a message, and nothing more of it close
 *
 * Empty lines and what follows a # are ignored. */
#ifndef CAIRN_SIM_SCRIPT_H
#define CAIRN_SIM_SCRIPT_H

#include "base/compiler.h"
#include "base/result.h"
#include "base/span.h"

enum sim_op {
    DO_HANDSHAKE,
    DO_WAIT,
    DO_REPEAT,
    DO_END,
    DO_GARBAGE,
    DO_OVERSIZE,
    DO_CHECKSUM,
    DO_UNKNOWN,
    DO_TRUNCATED,
    DO_PING,
    DO_INV,
    DO_GETDATA,
    DO_GETHEADERS,
    DO_GETBLOCK,
    DO_GETADDR,
    DO_HEADERS,
    DO_BLOCK,
    DO_ANNOUNCE,
    DO_COMPACT,
    DO_TX,
    DO_TXINV,
    DO_TXREAL,
    DO_GETTX,
    DO_ADDR,
    DO_SERVE,
    DO_READ,
    DO_CUT,
    DO_CLOSE,
    DO_COUNT,
};

enum { SIM_WORD = 16, SIM_SCRIPT_LINES = 64, SIM_SCRIPT_DEPTH = 4 };

struct sim_line {
    enum sim_op op;
    char word[SIM_WORD]; /* "" where it takes none */
    uint32_t from, to;   /* a number, or the ends of a range */
    uint32_t jump;       /* repeat: behind its end; end: its repeat */
};

struct sim_script {
    char name[SIM_WORD * 2];
    struct sim_line lines[SIM_SCRIPT_LINES];
    size_t count;
};

/* RESULT_INVALID names the line. */
MUST_USE enum result sim_script_parse(struct sim_script *out, struct span text, struct error *e);

/* The scripts that come with the program, ended by a NULL name. */
struct sim_script_source {
    const char *name, *text;
};
extern const struct sim_script_source sim_scripts[];

#endif
