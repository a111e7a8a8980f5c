/* Command hooks: shell commands that the owner wants run when something happens. They run beside the node, which never
 * waits for them except at shutdown. */
#ifndef CAIRN_NOTIFY_COMMAND_H
#define CAIRN_NOTIFY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/log.h"

struct command_runner;

/* LOG hears of commands that fail; it must be good until command_runner_free. */
struct command_runner *command_runner_new(struct log *log);

/* Commands that still run go on alone. */
void command_runner_free(struct command_runner *runner);

/* Starts a shell command. An empty one does nothing. Thread-safe. */
void command_run(struct command_runner *runner, const char *command);

/* Starts COUNT commands at the same time and waits for all. */
void command_run_all(struct command_runner *runner, const char *const *commands, size_t count);

/* Waits until no command runs. For tests. */
void command_runner_wait(struct command_runner *runner);

/* Appends TEMPLATE with every %s replaced by VALUE as it is: for values that we made, such as a hash in hex. */
void command_fill(struct buffer *out, const char *template, const char *value);

/* The same for text that others may have had a hand in: everything but letters, digits and " .,;-_/:?@()" is dropped
 * and the rest is put into single quotes. */
void command_fill_quoted(struct buffer *out, const char *template, const char *text);

/* -blocknotify: HASH_HEX is the hash of the new tip. TEMPLATE may be NULL or empty. */
void notify_block(struct command_runner *runner, const char *template, const char *hash_hex);

/* -alertnotify */
void notify_alert(struct command_runner *runner, const char *template, const char *message);

#endif
