/* cairn-lab: its commands and their options, one row each, and what is made of the rows: help, manual, completion. */
#include "lab/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "lab/figures.h"
#include "lab/setup.h"

enum { OPTIONS = 12 };

struct command {
    const char *name, *arguments, *help;
    int (*run)(struct lab_cli_args *a);
    struct lab_cli_option options[OPTIONS];
};

#define SEED                                                                                                           \
    {                                                                                                                  \
        "--seed", "N", "with this seed: the same seed, the same run"                                                   \
    }
#define SET                                                                                                            \
    {                                                                                                                  \
        "--set", "NAME=VALUE", "with this setting, see SETTINGS; more than once where wanted"                          \
    }
#define JSON                                                                                                           \
    {                                                                                                                  \
        "--json", NULL, "for programs"                                                                                 \
    }
#define JOBS                                                                                                           \
    {                                                                                                                  \
        "--jobs", "N", "processes at once (as many as there are processors)"                                           \
    }
#define Q_LIST                                                                                                         \
    {                                                                                                                  \
        "--q", "SHARES", "the attacker's shares of the hash power: 10%,30%"                                            \
    }
#define Z_LIST                                                                                                         \
    {                                                                                                                  \
        "--z", "COUNTS", "confirmations that the merchant waits for: 1,2,6"                                            \
    }
#define PREMINE                                                                                                        \
    {                                                                                                                  \
        "--premine", "N", "blocks that the attacker has in hand when it pays: 0 or 1"                                  \
    }
#define PATIENCE                                                                                                       \
    {                                                                                                                  \
        "--patience", "N", "it gives up when so many blocks behind after the last confirmation; 0: never"              \
    }
#define BUDGET                                                                                                         \
    {                                                                                                                  \
        "--budget", "N", "it gives up when both sides have found so many blocks; 0: never"                             \
    }
#define TRIALS                                                                                                         \
    {                                                                                                                  \
        "--trials", "N", "attempts for each cell"                                                                      \
    }

static const struct command commands[] = {
    {"page",
     "[SCENARIO]",
     "opens the page in which a scenario is played; what cairn-lab does without a command, too",
     lab_cli_page,
     {{"--port", "N", "listen on this port (any free one)"},
      {"--address", "ADDRESS", "listen on this address (127.0.0.1)"},
      {"--open", NULL, "show it in the browser (xdg-open)"},
      {"--play", NULL, "begin at once"},
      SEED,
      SET,
      JOBS}},
    {"run",
     "SCENARIO",
     "plays a scenario to its end in the terminal",
     lab_cli_run,
     {{"--plain", NULL, "an event a line (the default)"},
      {"--json", NULL, "a JSON object a line, a summary as the last"},
      SEED,
      SET,
      {"--until", "TIME", "stop there: 2h, 1d"},
      {"--trace-hash", NULL, "the log's hash with every event"},
      {"--report", "FILE", "write the run as one HTML file"},
      {"--trials", "N", "so many attempts with these settings on whole nodes, for the report's curve"}}},
    {"live",
     "[SCENARIO]",
     "the same with processes of cairnd on this machine, in real time; orders are typed, a line each",
     lab_cli_live,
     {{"--plain", NULL, "an event a line (the default)"},
      {"--json", NULL, "a JSON object a line; how to reach the nodes goes to standard error"},
      {"--page", NULL, "in the page"},
      {"--port", "N", "the page listens on this port"},
      {"--speed", "X", "the scenario's minutes go so many times faster (100: a block each six seconds)"},
      {"--port-base", "N", "P2P and RPC ports of the nodes from here on (any free ones)"},
      {"--cairnd", "PATH", "the node's program (the one beside this)"},
      {"--miner", "PATH", "the miner's program (cairn-miner beside this)"},
      SEED,
      SET}},
    {"list", "", "names the scenarios", lab_cli_list, {JSON, {"--names", NULL, "the names alone"}}},
    {"show", "SCENARIO", "prints a scenario's file as it is understood", lab_cli_show, {SEED, SET}},
    {"lesson",
     "N",
     "opens lesson 1 to 8 in the page; in the terminal with --plain",
     lab_cli_lesson,
     {{"--plain", NULL, "in the terminal: question, what happened, figures, answer"},
      {"--port", "N", "listen on this port (any free one)"},
      {"--address", "ADDRESS", "listen on this address (127.0.0.1)"},
      {"--open", NULL, "show it in the browser (xdg-open)"}}},
    {"check", "[SCENARIO...]", "plays scenarios and holds them against what their files expect", lab_cli_check, {{0}}},
    {"theory",
     "",
     "what the literature says of the race",
     lab_cli_theory,
     {{"--q", "SHARE", "the attacker's share of the hash power"},
      {"--z", "N", "confirmations that the merchant waits for"},
      PREMINE,
      PATIENCE,
      BUDGET,
      {"--minutes", "N", "what is known when the confirmations took so many minutes"},
      JSON}},
    {"race",
     "",
     "races without blocks, by the million, held against theory",
     lab_cli_race,
     {Q_LIST, Z_LIST, TRIALS, SEED, PREMINE, PATIENCE, BUDGET, JOBS, JSON}},
    {"trials",
     "",
     "attempts to steal on whole nodes, held against theory",
     lab_cli_trials,
     {Q_LIST, Z_LIST, TRIALS, SEED, PREMINE, SET, JOBS, JSON, {"--verbose", NULL, "a line for each attempt"}}},
    {"selfish",
     "",
     "selfish mining, held against theory",
     lab_cli_selfish,
     {{"--alpha", "SHARES", "the attacker's shares of the hash power: 25%,1/3"},
      {"--gamma", "SHARES", "shares of the honest power that hear of its block first: 0%,50%,100%"},
      {"--events", "N", "blocks that are found"},
      SEED,
      JSON}},
    {"eclipse",
     "",
     "a merchant that sees the attacker's blocks alone: on whole nodes, held against theory",
     lab_cli_eclipse,
     {Q_LIST,
      {"--z", "N", "confirmations that the merchant waits for (6)"},
      TRIALS,
      {"--blocks", "N", "of an honest network, for the clock's false alarms (2000)"},
      SEED,
      JOBS,
      JSON}},
    {"cost",
     "",
     "what an attempt costs, and from which value on it pays",
     lab_cli_cost,
     {Q_LIST,
      Z_LIST,
      {"--value", "COINS", "value of a payment: how many confirmations it needs"},
      {"--hashrate", "EH/S", "of the whole network"},
      {"--price", "PRICE", "rent of a TH/s for a day"},
      {"--coin", "PRICE", "price of a coin"},
      {"--reward", "COINS", "of a block, fees included"},
      JSON}},
    {"speed",
     "",
     "how fast virtual time goes, and what a node takes",
     lab_cli_speed,
     {{"--nodes", "COUNTS", "sizes of networks: 10,100,1000"},
      {"--minutes", "N", "virtual minutes for each size"},
      SEED,
      JSON}},
};

static const char about[] =
    "The 51% laboratory: whole nodes of this project with roles (honest miners, an attacker, a merchant) in virtual "
    "time, to be watched, attacked, healed and played again.";
static const char status[] = "Exit status: 0 all is well, 1 what was to be shown was not, 2 wrong usage.";

/* ---- arguments ---- */

static const struct lab_cli_option *option_named(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        for (size_t k = 0; k < OPTIONS && commands[i].options[k].name; k++) {
            const struct lab_cli_option *o = &commands[i].options[k];
            if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) return o;
        }
    return NULL;
}

static void remove_at(struct lab_cli_args *a, int at, int count)
{
    for (int i = at; i + count < a->argc; i++) a->argv[i] = a->argv[i + count];
    a->argc -= count;
}

bool lab_cli_take(struct lab_cli_args *a, const char *name, const char **value)
{
    size_t len = strlen(name);
    const struct lab_cli_option *o = option_named(name, len);
    for (int i = 0; i < a->argc; i++) {
        char *text = a->argv[i];
        if (strncmp(text, name, len) != 0 || (text[len] && text[len] != '=')) continue;
        bool wants = o && o->value;
        *value = text[len] ? text + len + 1 : NULL;
        if (*value && !wants) return false; /* a flag with a value stays, and is complained about */
        bool next = wants && !*value && i + 1 < a->argc;
        if (next) *value = a->argv[i + 1];
        if (wants && !*value) *value = "";
        remove_at(a, i, next ? 2 : 1);
        return true;
    }
    return false;
}

/* The value of an option is no argument of its own. */
const char *lab_cli_next(struct lab_cli_args *a)
{
    for (int i = 0; i < a->argc; i++) {
        const char *text = a->argv[i];
        if (text[0] == '-' && text[1]) {
            const struct lab_cli_option *o = option_named(text, strlen(text));
            i += o && o->value;
            continue;
        }
        remove_at(a, i, 1);
        return text;
    }
    return NULL;
}

bool lab_cli_done(const char *command, const struct lab_cli_args *a)
{
    if (!a->argc) return true;
    fprintf(stderr, "cairn-lab %s: %s makes no sense here; cairn-lab %s --help says more\n", command, a->argv[0],
            command);
    return false;
}

int lab_cli_wrong(const char *command, const char *what)
{
    fprintf(stderr, "cairn-lab %s: %s\n", command, what);
    return 2;
}

unsigned lab_cli_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

/* ---- help ---- */

static void print_options(FILE *to, const struct command *c)
{
    for (size_t k = 0; k < OPTIONS && c->options[k].name; k++) {
        char left[40];
        snprintf(left, sizeof(left), "%s %s", c->options[k].name, c->options[k].value ? c->options[k].value : "");
        fprintf(to, "  %-20s %s\n", left, c->options[k].help);
    }
}

static int print_command_help(const struct command *c)
{
    printf("Usage: cairn-lab %s%s%s%s\n\n%s.\n", c->name, c->arguments[0] ? " " : "", c->arguments,
           c->options[0].name ? " [options]" : "", c->help);
    if (c->options[0].name) printf("\n");
    print_options(stdout, c);
    return 0;
}

static void print_rows_of_setup(FILE *to)
{
    fprintf(to, "\nSettings (--set, scenario files):\n");
    for (size_t i = 0; i < lab_setting_count; i++)
        fprintf(to, "  %-20s %s (%s)\n", lab_setting_rows[i].name, lab_setting_rows[i].help, lab_setting_rows[i].form);
    fprintf(to, "\nOrders (the page, scenario files):\n");
    for (size_t i = 0; i < LAB_COMMANDS; i++) {
        char left[40];
        snprintf(left, sizeof(left), "%s %s", lab_command_rows[i].name,
                 lab_command_rows[i].argument ? lab_command_rows[i].argument : "");
        fprintf(to, "  %-20s %s\n", left, lab_command_rows[i].help);
    }
}

static int print_help(FILE *to)
{
    fprintf(to, "Usage: cairn-lab [SCENARIO] | cairn-lab COMMAND [options]\n\n%s\n\n", about);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char left[40];
        snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
        fprintf(to, "  %-20s %s\n", left, commands[i].help);
    }
    fprintf(to, "\n  %-20s %s\n  %-20s %s\n", "COMMAND --help", "the options of a command", "--version", "the version");
    print_rows_of_setup(to);
    fprintf(to, "\n%s\n", status);
    return 0;
}

/* ---- manual and completion ---- */

/* A hyphen that is typed, not a sign of hyphenation. */
static void put_roff(const char *text)
{
    for (; *text; text++) {
        if (*text == '-') putchar('\\');
        putchar(*text);
    }
}

static void put_row(const char *name, const char *value, const char *help)
{
    printf(".TP\n.B ");
    put_roff(name);
    if (value && *value) printf(" \\fI%s\\fR", value);
    printf("\n");
    put_roff(help);
    printf("\n");
}

static void print_man(void)
{
    printf(
        ".TH CAIRN\\-LAB 1\n.SH NAME\ncairn\\-lab \\- the 51%% laboratory\n.SH SYNOPSIS\n.B cairn\\-lab\n[SCENARIO]\n"
        ".br\n.B cairn\\-lab\nCOMMAND [options]\n.SH DESCRIPTION\n");
    put_roff(about);
    printf("\n.SH COMMANDS\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];
        printf(".SS ");
        put_roff(c->name);
        if (c->arguments[0]) printf(" %s", c->arguments);
        printf("\n");
        put_roff(c->help);
        printf("\n");
        for (size_t k = 0; k < OPTIONS && c->options[k].name; k++)
            put_row(c->options[k].name, c->options[k].value, c->options[k].help);
    }
    printf(".SH SETTINGS\n");
    for (size_t i = 0; i < lab_setting_count; i++)
        put_row(lab_setting_rows[i].name, lab_setting_rows[i].form, lab_setting_rows[i].help);
    printf(".SH ORDERS\n");
    for (size_t i = 0; i < LAB_COMMANDS; i++)
        put_row(lab_command_rows[i].name, lab_command_rows[i].argument, lab_command_rows[i].help);
    printf(".SH FIGURES\nWhat a scenario's file can ask for in its section [figures].\n");
    for (size_t i = 0; i < lab_figure_count; i++) put_row(lab_figure_rows[i].name, NULL, lab_figure_rows[i].help);
    printf(".SH ENVIRONMENT\n");
    put_row("CAIRN_LAB_DIR", NULL, "the folder of scenario files (*.lab)");
    printf(".SH EXIT STATUS\n%s\n", status);
}

static void print_completion(void)
{
    printf("# bash completion of cairn-lab\n_cairn_lab()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} "
           "prev=${COMP_WORDS[COMP_CWORD-1]}\n    case $prev in\n    --report) COMPREPLY=($(compgen -f -- \"$cur\")); "
           "return ;;\n    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) printf("%s ", commands[i].name);
    printf("--help --version $(cairn-lab list --names 2>/dev/null)\" -- \"$cur\"))\n        return\n    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        printf("    %s) COMPREPLY=($(compgen -W \"", commands[i].name);
        for (size_t k = 0; k < OPTIONS && commands[i].options[k].name; k++) printf("%s ", commands[i].options[k].name);
        if (strstr(commands[i].arguments, "SCENARIO")) printf("$(cairn-lab list --names 2>/dev/null) ");
        printf("--help\" -- \"$cur\")) ;;\n");
    }
    printf("    esac\n}\ncomplete -F _cairn_lab cairn-lab\n");
}

static int generate(const char *what)
{
    if (!strcmp(what, "man"))
        print_man();
    else if (!strcmp(what, "completion"))
        print_completion();
    else
        return 2;
    return 0;
}

/* ---- main ---- */

static bool asks_for_help(const struct lab_cli_args *a)
{
    for (int i = 0; i < a->argc; i++)
        if (!strcmp(a->argv[i], "--help") || !strcmp(a->argv[i], "-h")) return true;
    return false;
}

int lab_main(int argc, char **argv, const char *version)
{
    struct lab_cli_args a = {.argc = argc > 1 ? argc - 1 : 0, .argv = argv + 1};
    const char *first = a.argc ? a.argv[0] : "";
    if (!strcmp(first, "--version")) return printf("cairn-lab %s\n", version) < 0;
    if (!strncmp(first, "-gen=", 5)) return generate(first + 5);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(first, commands[i].name) != 0) continue;
        remove_at(&a, 0, 1);
        return asks_for_help(&a) ? print_command_help(&commands[i]) : commands[i].run(&a);
    }
    if (asks_for_help(&a) || !strcmp(first, "help")) return print_help(stdout);
    return lab_cli_page(&a);
}
