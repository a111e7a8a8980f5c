/* What a laboratory is like when it begins, and what can be ordered while it runs. One row a setting and one a command:
 * scenario files, the command line, the page and the manual are all made of the rows. */
#ifndef CAIRN_LAB_SETUP_H
#define CAIRN_LAB_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/result.h"
#include "base/span.h"

enum { LAB_SETUP_TEXT_MAX = 480 };

#define LAB_PPM 1000000 /* shares are millionths of one */

enum lab_strategy {
    LAB_STRATEGY_NONE,     /* mines honestly */
    LAB_STRATEGY_DOUBLE,   /* pays the merchant, mines a secret branch with the conflicting payment */
    LAB_STRATEGY_TAKEOVER, /* never mines on what others found */
    LAB_STRATEGY_CENSOR,   /* the same, but only against blocks with payments to the merchant's address */
    LAB_STRATEGY_EMPTY,    /* never mines on what others found, and its blocks are empty */
    LAB_STRATEGY_SELFISH,  /* Eyal and Sirer 2014, algorithm 1 */
    LAB_STRATEGIES,
};

struct lab_setup {
    uint64_t seed;
    unsigned honest;   /* honest mining nodes, at least 1 */
    unsigned watchers; /* nodes that do not mine */
    bool merchant;     /* one more node that does not mine, and sells */
    uint32_t q_ppm;    /* the attacker's share of all hash power; 0: there is no attacker yet */
    bool added;        /* the attacker's power comes on top of today's (else it is taken out of it) */
    int64_t block_us;  /* average between blocks before the attack */
    int64_t latency_us;
    enum lab_strategy strategy;
    unsigned confirmations;      /* the merchant waits for so many (z); a payment in the tip has 1 */
    unsigned premine;            /* blocks that the attacker has in hand when the payment is sent: 0 or 1 */
    unsigned patience;           /* gives up when so many blocks behind after the last confirmation (g); 0: never */
    unsigned budget;             /* gives up when both sides together have found so many; 0: never */
    uint32_t gamma_ppm;          /* share of honest hash power that hears of the attacker's block first */
    int64_t pay_us;              /* average between payments of the public; 0: none */
    unsigned reorg_alarm;        /* -reorgalarm of all nodes; 0: off */
    unsigned max_reorg;          /* nodes refuse branches that would throw away more; 0: as Bitcoin, no limit */
    bool eclipsed;               /* the merchant knows the attacker's addresses alone */
    bool honest_link;            /* one connection of the eclipsed merchant goes to an honest node all the same */
    unsigned alarm_minutes;      /* the merchant's clock: warns when no block came for so long; 0: off */
    unsigned alarm_span_minutes; /* warns when the confirmations it waits for took longer together; 0: off */
};

struct lab_setup lab_setup_default(void);

/* "q" = "30%", "latency" = "2s", "confirmations" = "6", "strategy" = "double", "merchant" = "yes" ... The error names
 * what was wrong and what is allowed. */
MUST_USE enum result lab_setup_set(struct lab_setup *s, struct span name, struct span value, struct error *e);

/* Nothing contradicts (an attacker without hash power, no honest node ...). */
MUST_USE enum result lab_setup_check(const struct lab_setup *s, struct error *e);

/* An object with all settings as they are written in files: {"honest":"3","q":"30%",...}. */
void lab_setup_json(struct buffer *out, const struct lab_setup *s);

/* One line for each setting that differs from DEFAULTS: "q = 30%". */
void lab_setup_write(struct buffer *out, const struct lab_setup *s, const struct lab_setup *defaults);

/* For help, manual and the page. */
struct lab_setting_row {
    const char *name, *form, *help; /* form: "share", "time", "count", "yes/no", "strategy" */
};
extern const struct lab_setting_row lab_setting_rows[];
extern const size_t lab_setting_count;

/* "none", "double", "takeover", "censor", "empty", "selfish". */
const char *lab_strategy_name(enum lab_strategy s);
MUST_USE bool lab_parse_strategy(struct span text, enum lab_strategy *out);

/* 30%, 0.3, 1/3 -> millionths; 90s, 10m, 2h, 1d, 250ms -> microseconds. False where it is nothing like that. */
MUST_USE bool lab_parse_share(struct span text, uint32_t *out_ppm);
MUST_USE bool lab_parse_time(struct span text, int64_t *out_us);
/* The other way: shortest form. */
void lab_write_share(struct buffer *out, uint32_t ppm);
void lab_write_time(struct buffer *out, int64_t us);

/* ---- commands ---- */

enum lab_command_kind {
    LAB_COMMAND_POWER,         /* power 45%: the attacker's share of all hash power */
    LAB_COMMAND_PARTITION,     /* partition: honest nodes fall into two halves that do not hear of each other */
    LAB_COMMAND_HEAL,          /* heal: all links are back (an eclipsed merchant meets honest nodes, too) */
    LAB_COMMAND_ATTACK,        /* attack [STRATEGY]: the attacker begins (double: it orders and pays, too) */
    LAB_COMMAND_PUBLISH,       /* publish: the attacker shows all that it has */
    LAB_COMMAND_GIVE_UP,       /* give-up: the attacker throws its secret branch away */
    LAB_COMMAND_LEAVE,         /* leave: the attacker is gone, with its hash power */
    LAB_COMMAND_MINERS,        /* miners N: honest power joins, N times that of one honest node of the beginning */
    LAB_COMMAND_PAY,           /* pay [COINS]: an honest customer pays the merchant */
    LAB_COMMAND_CONFIRMATIONS, /* confirmations N: the merchant waits for so many from now on */
    LAB_COMMAND_INVALIDATE,    /* invalidate: the operators of all honest nodes call the attacker's branch invalid */
    LAB_COMMAND_RECONSIDER,    /* reconsider: they take that back */
    LAB_COMMAND_LATENCY,       /* latency 2s: of links made from now on */
    LAB_COMMAND_SAY,           /* say TEXT */
    LAB_COMMAND_END,           /* end: it is over */
    LAB_COMMANDS,
};

struct lab_command {
    enum lab_command_kind kind;
    int64_t value;              /* millionths, microseconds, satoshis or a count; 0 where there is none */
    enum lab_strategy strategy; /* of ATTACK; the setup's where none was given */
    bool has_strategy;
    char text[LAB_SETUP_TEXT_MAX]; /* the argument as it was written */
};

struct lab_command_row {
    const char *name, *argument, *help;
};
extern const struct lab_command_row lab_command_rows[LAB_COMMANDS];

MUST_USE enum result lab_command_parse(struct lab_command *out, struct span line, struct error *e);
/* The line that makes it. */
void lab_command_write(struct buffer *out, const struct lab_command *c);

#endif
