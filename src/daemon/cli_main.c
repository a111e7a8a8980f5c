/* cairn-cli: options, standard input, and what is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/cli.h"
#include "daemon/help.h"
#include "daemon/process.h"
#include "daemon/raw_json.h"

enum { GO_ON = -1 };

/* The words of the command: those of the command line, then those of standard input. */
struct words {
    char **items;
    size_t count;
    size_t cap;
};

static void words_add(struct words *w, const char *text)
{
    w->items = mem_grow(w->items, &w->cap, w->count + 1, sizeof(*w->items));
    w->items[w->count++] = mem_strdup(text);
}

static void words_clear(struct words *w)
{
    for (size_t i = 0; i < w->count; i++) free(w->items[i]);
    free(w->items);
}

static bool is_empty_reply(struct span reply)
{
    struct span rest = raw_json_trim(reply);
    struct span value;
    struct span key;
    return rest.len && rest.data[0] == '{' && !raw_json_next(&rest, &key, &value);
}

/* Reads a line without its newline; false at the end. */
static bool read_line(struct buffer *out)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = getline(&line, &cap, stdin);
    if (len > 0 && line[len - 1] == '\n') len--;
    if (len >= 0) buffer_put(out, line, (size_t)len);
    free(line);
    return len >= 0;
}

/* The password from the first line of standard input, without showing it where that is a terminal. */
static bool read_password(struct args *args, struct buffer *error)
{
    struct termios before;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        struct termios silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
        fputs("RPC password> ", stderr);
    }
    struct buffer line = {0};
    bool ok = read_line(&line);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fputc('\n', stderr);
    }
    if (ok) args_force_set(args, "rpcpassword", buffer_text(&line));
    if (!ok) buffer_put_str(error, "-stdinrpcpass specified but failed to read from standard input");
    buffer_clear(&line);
    return ok;
}

static bool collect_words(struct args *args, struct words *words, struct buffer *error)
{
    if (args_bool(args, "stdinrpcpass") && !read_password(args, error)) return false;
    for (size_t i = 0; i < args->command_count; i++) words_add(words, args->command[i]);
    if (args_bool(args, "stdinwalletpassphrase")) {
        buffer_put_str(error, "-stdinwalletpassphrase is only applicable for walletpassphrase(change)");
        return false;
    }
    struct buffer line = {0};
    while (args_bool(args, "stdin") && read_line(&line)) {
        words_add(words, buffer_text(&line));
        line.len = 0;
    }
    buffer_clear(&line);
    return true;
}

/* At most one of the commands that are options, and only those that this program has. */
static bool check_commands(const struct args *args, struct buffer *error)
{
    struct buffer given = {0};
    int count = 0;
    const char *unavailable = NULL;
    for (size_t i = 0; i < args->table->count; i++) {
        const struct option_row *row = &args->table->rows[i];
        if (row->group != GROUP_COMMANDS || !args_is_set(args, row->name)) continue;
        buffer_printf(&given, "%s-%s", count++ ? ", " : "", row->name);
        if (row->flags & OPTION_HIDDEN && args_bool(args, row->name)) unavailable = row->name;
    }
    const char *ipc = args_string(args, "ipcconnect");
    bool ok = false;
    if (count > 1) {
        buffer_printf(error, "Only one of %s may be specified.", buffer_text(&given));
    } else if (strcmp(ipc, "auto") != 0 && strcmp(ipc, "0") != 0) {
        bool both = args_is_set(args, "rpcconnect") && !args_is_negated(args, "rpcconnect");
        buffer_put_str(error, both ? "-rpcconnect and -ipcconnect options cannot both be enabled"
                                   : "bitcoin-cli was not built with IPC support");
    } else if (unavailable) {
        buffer_printf(error, "this program has no -%s", unavailable);
    } else {
        ok = true;
    }
    buffer_clear(&given);
    return ok;
}

static bool wants_colour(const struct args *args, bool *colour, struct buffer *error)
{
    const char *when = args_string(args, "color");
    *colour = !strcmp(when, "always") || (!strcmp(when, "auto") && isatty(STDOUT_FILENO));
    if (*colour || !strcmp(when, "auto") || !strcmp(when, "never")) return true;
    buffer_put_str(error, "Invalid value for -color option. Valid values: always, auto, never.");
    return false;
}

/* The text of an RPC error; returns the exit code. */
static int put_error(struct buffer *out, struct span error)
{
    struct span code = raw_json_member(error, "code");
    struct span message = raw_json_member(error, "message");
    char number[24] = "0";
    if (error.data[0] != '{') {
        buffer_put_str(out, "error: ");
        buffer_put_span(out, error);
        return 1;
    }
    if (!raw_json_is_null(code)) {
        buffer_put_str(out, "error code: ");
        buffer_put_span(out, code);
        buffer_put_u8(out, '\n');
        if (code.len < sizeof(number)) {
            memcpy(number, code.data, code.len);
            number[code.len] = '\0';
        }
    }
    if (raw_json_is_string(message)) {
        buffer_put_str(out, "error message:\n");
        raw_json_put_plain(out, message);
    }
    return abs(atoi(number));
}

static void put_result(struct buffer *out, struct span result)
{
    if (raw_json_is_null(result)) return;
    if (raw_json_is_string(result)) {
        raw_json_put_plain(out, result);
    } else {
        raw_json_put_pretty(out, result);
    }
}

/* The commands that are options, and the plain one. */
enum mode { MODE_PLAIN, MODE_GETINFO, MODE_NETINFO, MODE_ADDRINFO };

static enum mode mode_of(const struct args *args)
{
    return args_bool(args, "getinfo")    ? MODE_GETINFO
           : args_bool(args, "netinfo")  ? MODE_NETINFO
           : args_bool(args, "addrinfo") ? MODE_ADDRINFO
                                         : MODE_PLAIN;
}

static bool make_plain_request(const struct args *args, const struct words *words, struct buffer *out,
                               struct buffer *error)
{
    if (!words->count) {
        buffer_put_str(error, "too few parameters (need at least command)");
        return false;
    }
    struct buffer params = {0};
    const char *method = words->items[0];
    bool ok = cli_params(method, (const char *const *)words->items + 1, words->count - 1, args_bool(args, "named"),
                         &params, error);
    if (ok) cli_request(out, method, buffer_span(&params), args_string(args, "rpcid"), true);
    buffer_clear(&params);
    return ok;
}

static bool make_request(const struct args *args, enum mode mode, const struct words *words, struct netinfo_view *view,
                         struct buffer *out, struct buffer *error)
{
    switch (mode) {
    case MODE_PLAIN: return make_plain_request(args, words, out, error);
    case MODE_NETINFO:
        cli_netinfo_request(out);
        return cli_netinfo_parse(view, (const char *const *)words->items, words->count, error);
    case MODE_GETINFO: cli_getinfo_request(out); break;
    case MODE_ADDRINFO: cli_request(out, "getaddrmaninfo", span_str("[]"), "1", false); break;
    }
    if (words->count) buffer_printf(error, "-%s takes no arguments", mode == MODE_GETINFO ? "getinfo" : "addrinfo");
    return words->count == 0;
}

/* What a reply without an error is printed as; false where there is an error all the same (*FAILED). */
static bool put_reply(const struct args *args, enum mode mode, const struct netinfo_view *view, bool colour,
                      struct span whole, struct buffer *out, struct span *failed)
{
    struct buffer json = {0};
    switch (mode) {
    case MODE_GETINFO: return cli_getinfo_text(whole, colour, out, failed);
    case MODE_NETINFO: return cli_netinfo_text(whole, view, time(NULL), args_chain(args)->name, out, failed);
    case MODE_ADDRINFO:
        cli_addrinfo(raw_json_member(whole, "result"), &json);
        put_result(out, buffer_span(&json));
        break;
    case MODE_PLAIN: put_result(out, raw_json_member(whole, "result")); break;
    }
    buffer_clear(&json);
    return true;
}

/* Calls and prints into OUT; returns the exit code. */
static int run(const struct args *args, const struct words *words, struct buffer *out)
{
    struct buffer request = {0};
    struct buffer reply = {0};
    struct buffer error = {0};
    struct netinfo_view view = {0};
    enum mode mode = mode_of(args);
    bool colour = false;
    int code = 1;
    if (check_commands(args, &error) && (mode != MODE_GETINFO || wants_colour(args, &colour, &error)) &&
        make_request(args, mode, words, &view, &request, &error)) {
        buffer_put_u8(&request, '\n');
        if (cli_call_wait(args, buffer_span(&request), &reply, &error) == CLI_OK) {
            struct span whole = buffer_span(&reply);
            struct span failed = raw_json_member(whole, "error");
            if (mode == MODE_PLAIN && is_empty_reply(whole))
                buffer_put_str(&error, "expected reply to have result, error and id properties");
            else if (raw_json_is_null(failed) && put_reply(args, mode, &view, colour, whole, out, &failed))
                code = 0;
            if (!raw_json_is_null(failed)) code = put_error(out, failed);
        }
    }
    if (error.len) {
        buffer_put_str(out, "error: ");
        buffer_put_span(out, buffer_span(&error));
        code = 1;
    }
    buffer_clear(&error);
    buffer_clear(&reply);
    buffer_clear(&request);
    return code;
}

static bool wants_netinfo_help(const struct args *args, const struct words *words)
{
    return mode_of(args) == MODE_NETINFO && words->count &&
           (!strcmp(words->items[0], "h") || !strcmp(words->items[0], "help"));
}

/* Reads options and configuration; GO_ON, or the exit code. */
static int start(struct args *args, int argc, const char *const *argv)
{
    struct buffer text = {0};
    int code = EXIT_FAILURE;
    char *datadir = NULL;
    if (!args_parse_command_line(args, argc, argv, &text)) {
        fprintf(stderr, "%s\n", buffer_text(&text));
    } else if (argc < 2) {
        args_force_set(args, "help", "1");
        if (help_answer(args, "RPC client", &text)) fputs(buffer_text(&text), stdout);
        fputs("Error: too few parameters\n", stderr);
    } else if (help_answer(args, "RPC client", &text)) {
        fputs(buffer_text(&text), stdout);
        code = EXIT_SUCCESS;
    } else if (!(datadir = args_datadir(args))) {
        fprintf(stderr, "Error: Specified data directory \"%s\" does not exist.\n", args_string(args, "datadir"));
    } else if (!args_read_config_files(args, &text)) {
        fprintf(stderr, "Error reading configuration file: %s\n", buffer_text(&text));
    } else if (!args_select_chain(args, &text)) {
        fprintf(stderr, "Error: %s\n", buffer_text(&text));
    } else {
        code = GO_ON;
    }
    free(datadir);
    buffer_clear(&text);
    return code;
}

int cli_main(int argc, const char *const *argv)
{
    struct args args;
    struct words words = {0};
    struct buffer out = {0};
    process_setup();
    args_init(&args, &options_cli, NULL);
    int code = start(&args, argc, argv);
    if (code == GO_ON) {
        struct buffer error = {0};
        bool ready = collect_words(&args, &words, &error);
        if (ready && wants_netinfo_help(&args, &words)) {
            cli_netinfo_help(&out);
            code = EXIT_SUCCESS;
        } else if (ready) {
            code = run(&args, &words, &out);
        } else {
            code = EXIT_FAILURE;
            buffer_printf(&out, "error: %s", buffer_text(&error));
        }
        buffer_clear(&error);
        if (out.len) {
            buffer_put_u8(&out, '\n');
            fwrite(out.data, 1, out.len, code ? stderr : stdout);
        }
    }
    buffer_clear(&out);
    words_clear(&words);
    args_clear(&args);
    return code;
}
