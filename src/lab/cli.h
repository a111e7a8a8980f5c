/* cairn-lab: its commands, one row each (cli.c); a command is a function of its arguments and returns the exit status:
 * 0 all is well, 1 what was to be shown was not, 2 wrong usage. */
#ifndef CAIRN_LAB_CLI_H
#define CAIRN_LAB_CLI_H

#include <stdbool.h>
#include <stdint.h>

struct lab_cli_option {
    const char *name, *value; /* "--seed", "N" (NULL: a flag) */
    const char *help;
};

struct lab_cli_args {
    int argc; /* of what follows the command */
    char **argv;
};

/* An option's row in cli.c says whether it has a value. Takes "--name value" or "--name=value" or the flag --name out
 * of the arguments; false: it is not there. *VALUE is NULL for a flag. */
bool lab_cli_take(struct lab_cli_args *a, const char *name, const char **value);
/* The first argument that is no option, or NULL; taken out. */
const char *lab_cli_next(struct lab_cli_args *a);
/* Complains about what is left over, on stderr; true where nothing is. */
bool lab_cli_done(const char *command, const struct lab_cli_args *a);
int lab_cli_wrong(const char *command, const char *what); /* prints, returns 2 */
unsigned lab_cli_processors(void);

/* cli_play.c: cairn-lab [SCENARIO] (the page), run, list, show, check, lessons */
int lab_cli_page(struct lab_cli_args *a);
int lab_cli_run(struct lab_cli_args *a);
int lab_cli_list(struct lab_cli_args *a);
int lab_cli_show(struct lab_cli_args *a);
int lab_cli_lesson(struct lab_cli_args *a);
int lab_cli_check(struct lab_cli_args *a);
/* cli_numbers.c: theory, race, selfish, cost */
int lab_cli_theory(struct lab_cli_args *a);
int lab_cli_race(struct lab_cli_args *a);
int lab_cli_selfish(struct lab_cli_args *a);
int lab_cli_cost(struct lab_cli_args *a);
/* cli_trials.c: trials (whole nodes), speed */
int lab_cli_trials(struct lab_cli_args *a);
int lab_cli_speed(struct lab_cli_args *a);
/* cli_eclipse.c */
int lab_cli_eclipse(struct lab_cli_args *a);
/* cli_live.c: live */
int lab_cli_live(struct lab_cli_args *a);

/* cairn-lab; VERSION is what --version says. */
int lab_main(int argc, char **argv, const char *version);

#endif
