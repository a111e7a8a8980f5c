/* cairn-sim: its options, one row each, and what is made of the rows. */
#include <stdlib.h>
#include <string.h>

#include "sim/cli.h"

/* A number goes to the field at OFFSET; a flag or a text is known by its name. */
struct option_row {
    const char *name, *value, *help;
    size_t offset;
};

#define NUMBER(FIELD) offsetof(struct sim_cli, FIELD)
#define NO_FIELD      SIZE_MAX

static const struct option_row rows[] = {
    {"--seed", "N", "run this seed (decimal, or hexadecimal with 0x)", NUMBER(seed)},
    {"--seeds", "COUNT", "run so many seeds, from --from on", NUMBER(seeds)},
    {"--from", "N", "the first of them (1)", NUMBER(from)},
    {"--seconds", "S", "begin no new seed after so many seconds of real time", NUMBER(seconds)},
    {"--jobs", "N", "processes at once (1)", NUMBER(jobs)},
    {"--file", "PATH", "run the seeds of a file: one a line, # begins a comment", NO_FIELD},
    {"--nodes", "N", "so many nodes in each run (default: as the seed has it, 2 to 10)", NUMBER(nodes)},
    {"--minutes", "M", "minutes of virtual time with faults (default: as the seed has it)", NUMBER(minutes)},
    {"--trace", NULL, "print every event", NO_FIELD},
    {"--log", "N", "print the log of node N, too", NUMBER(log)},
    {"--verbose", NULL, "a line for each seed", NO_FIELD},
    {"--scenario", "NAME", "eclipse: an attacker with 1,000 addresses against a default node; day: a day of blocks",
     NO_FIELD},
    {"--victims", "K", "how often the eclipse is tried in each setting (20)", NUMBER(victims)},
    {"--help", NULL, "this text", NO_FIELD},
    {"--version", NULL, "the version", NO_FIELD},
};

static const char about[] = "Runs networks of real nodes in virtual time, with faults. One seed is one run: the same "
                            "everywhere.";
static const char status[] = "Exit status: 0 all is well, 1 a seed failed (a line says how to run it again), 2 wrong "
                             "usage.";

/* ---- what is made of the rows ---- */

static void print_help(FILE *to)
{
    fprintf(to, "Usage: cairn-sim [options]\n\n%s\n\n", about);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char left[32];
        snprintf(left, sizeof(left), "%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
        fprintf(to, "  %-16s %s\n", left, rows[i].help);
    }
    fprintf(to, "\n%s\n", status);
}

/* A hyphen that is typed, not a sign of hyphenation. */
static void print_roff(const char *text)
{
    for (; *text; text++) {
        if (*text == '-') putchar('\\');
        putchar(*text);
    }
}

static void print_man(void)
{
    printf(".TH CAIRN\\-SIM 1\n.SH NAME\ncairn\\-sim \\- networks of nodes in virtual time\n"
           ".SH SYNOPSIS\n.B cairn\\-sim\n[options]\n.SH DESCRIPTION\n%s\n.SH OPTIONS\n",
           about);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        printf(".TP\n.B ");
        print_roff(rows[i].name);
        if (rows[i].value) printf(" \\fI%s\\fR", rows[i].value);
        printf("\n");
        print_roff(rows[i].help);
        printf("\n");
    }
    printf(".SH EXIT STATUS\n%s\n", status);
}

static void print_completion(void)
{
    printf("# bash completion of cairn-sim\n_cairn_sim()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} "
           "prev=${COMP_WORDS[COMP_CWORD-1]}\n    case $prev in\n"
           "    --scenario) COMPREPLY=($(compgen -W \"eclipse day\" -- \"$cur\")) ;;\n"
           "    --file) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n    *) COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) printf("%s%s", i ? " " : "", rows[i].name);
    printf("\" -- \"$cur\")) ;;\n    esac\n}\ncomplete -F _cairn_sim cairn-sim\n");
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

/* ---- reading them ---- */

static bool number(const char *text, uint64_t *out)
{
    char *end;
    if (!text || *text < '0' || *text > '9') return false;
    *out = strtoull(text, &end, 0);
    return !*end;
}

static void set_flag(struct sim_cli *c, const char *name, const char *value)
{
    if (!strcmp(name, "--trace")) c->trace = true;
    if (!strcmp(name, "--verbose")) c->verbose = true;
    if (!strcmp(name, "--scenario")) c->scenario = value;
    if (!strcmp(name, "--file")) c->file = value;
    if (!strcmp(name, "--seed")) c->one_seed = true;
    if (!strcmp(name, "--log")) c->with_log = true;
}

/* The number of arguments used; 0 where they make no sense. */
static int take_option(struct sim_cli *c, char **argv)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct option_row *row = &rows[i];
        if (strcmp(argv[0], row->name) != 0) continue;
        if (row->value && !argv[1]) return 0;
        if (row->offset != NO_FIELD && !number(argv[1], (uint64_t *)((char *)c + row->offset))) return 0;
        set_flag(c, row->name, argv[1]);
        return row->value ? 2 : 1;
    }
    return 0;
}

static int usage(const char *argument)
{
    fprintf(stderr, "cairn-sim: %s makes no sense here; --help says more\n", argument);
    return 2;
}

int sim_main(int argc, char **argv, const char *version)
{
    struct sim_cli c = {.from = 1, .jobs = 1, .victims = 20};
    for (int i = 1; i < argc;) {
        if (!strcmp(argv[i], "--help")) return print_help(stdout), 0;
        if (!strcmp(argv[i], "--version")) return printf("cairn-sim %s\n", version) < 0;
        if (!strncmp(argv[i], "-gen=", 5)) return generate(argv[i] + 5);
        int used = take_option(&c, argv + i);
        if (!used) return usage(argv[i]);
        i += used;
    }
    if (!c.jobs || c.jobs > 256) return usage("--jobs");
    if (c.nodes > 20000) return usage("--nodes");
    if (c.scenario && !strcmp(c.scenario, "eclipse")) return sim_scenario_eclipse(&c);
    if (c.scenario && !strcmp(c.scenario, "day")) return sim_scenario_day(&c);
    if (c.scenario) return usage(c.scenario);
    if (c.one_seed) return sim_cli_one(&c);
    if (c.seeds || c.seconds || c.file) return sim_cli_many(&c);
    print_help(stderr);
    return 2;
}
