/* cairn-sim: seeds and scenarios from the command line. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cli.h"

static const char help[] =
    "Usage: cairn-sim [options]\n"
    "\n"
    "Runs networks of real nodes in virtual time, with faults. One seed is one run: the same everywhere.\n"
    "\n"
    "  --seed N        run this seed (decimal, or hexadecimal with 0x)\n"
    "  --seeds COUNT   run so many seeds, from --from on\n"
    "  --from N        the first of them (1)\n"
    "  --seconds S     stop beginning new ones after so many seconds of real time\n"
    "  --jobs N        processes at once (1)\n"
    "  --file PATH     run the seeds of a file: one a line, # begins a comment\n"
    "  --nodes N       so many nodes in each run (default: as the seed has it, 2 to 10)\n"
    "  --minutes M     minutes of virtual time with faults (default: as the seed has it)\n"
    "  --trace         print every event\n"
    "  --log N         print the log of node N, too\n"
    "  --verbose       a line for each seed\n"
    "  --scenario S    eclipse: an attacker with 1,000 addresses in 8 network groups against a default node\n"
    "                  day: a day of blocks in a network of --nodes nodes (1000)\n"
    "  --victims K     how often the eclipse is tried in each setting (20)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 all is well, 1 a seed failed (a line says how to run it again), 2 wrong usage.\n";

/* ---- options ---- */

static bool number(const char *text, uint64_t *out)
{
    char *end;
    if (!text || *text < '0' || *text > '9') return false;
    *out = strtoull(text, &end, 0);
    return !*end;
}

static bool set_number(struct sim_cli *c, const char *name, const char *text)
{
    const struct {
        const char *name;
        uint64_t *to;
    } rows[] = {{"--seed", &c->seed},       {"--seeds", &c->seeds},     {"--from", &c->from},
                {"--jobs", &c->jobs},       {"--seconds", &c->seconds}, {"--nodes", &c->nodes},
                {"--minutes", &c->minutes}, {"--log", &c->log},         {"--victims", &c->victims}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(name, rows[i].name)) {
            if (rows[i].to == &c->seed) c->one_seed = true;
            if (rows[i].to == &c->log) c->with_log = true;
            return number(text, rows[i].to);
        }
    return false;
}

/* The number of arguments used; 0 where they make no sense. */
static int take_option(struct sim_cli *c, char **argv)
{
    const char *name = argv[0], *value = argv[1];
    if (!strcmp(name, "--trace")) return c->trace = true, 1;
    if (!strcmp(name, "--verbose")) return c->verbose = true, 1;
    if (!strcmp(name, "--scenario") && value) return c->scenario = value, 2;
    if (!strcmp(name, "--file") && value) return c->file = value, 2;
    return set_number(c, name, value) ? 2 : 0;
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
        if (!strcmp(argv[i], "--help")) return fputs(help, stdout) < 0;
        if (!strcmp(argv[i], "--version")) return printf("cairn-sim %s\n", version) < 0;
        int used = take_option(&c, argv + i);
        if (!used) return usage(argv[i]);
        i += used;
    }
    if (!c.jobs || c.jobs > 256 || c.nodes > 100000) return usage("a number");
    if (c.scenario && !strcmp(c.scenario, "eclipse")) return sim_scenario_eclipse(&c);
    if (c.scenario && !strcmp(c.scenario, "day")) return sim_scenario_day(&c);
    if (c.scenario) return usage(c.scenario);
    if (c.one_seed) return sim_cli_one(&c);
    if (!c.seeds && !c.seconds && !c.file) {
        fputs(help, stdout);
        return 2;
    }
    return sim_cli_many(&c);
}
