/* Locks on directories, the pid file, the background pipe, signals. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/datadir.h"
#include "daemon/process.h"

static void make_place(char dir[32])
{
    strcpy(dir, "/tmp/cairn_dir_XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static void remove_place(const char *dir)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

Test(datadir, a_lock_keeps_other_processes_out)
{
    char dir[32];
    struct dir_lock lock;
    struct error error;
    make_place(dir);
    cr_assert_eq(dir_lock_take(&lock, dir, &error), RESULT_OK);
    pid_t pid = fork();
    if (pid == 0) {
        struct dir_lock other;
        char expected[128];
        snprintf(expected, sizeof(expected), "Cannot obtain a lock on directory %s. cairn is probably already running.",
                 dir);
        enum result got = dir_lock_take(&other, dir, &error);
        _exit(got == RESULT_BUSY && !strcmp(error.text, expected) ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    cr_expect_eq(status, 0);
    dir_lock_release(&lock);
    pid = fork();
    if (pid == 0) _exit(dir_lock_take(&lock, dir, &error) == RESULT_OK ? 0 : 1);
    waitpid(pid, &status, 0);
    cr_expect_eq(status, 0, "free again");
    remove_place(dir);
}

Test(datadir, a_lock_needs_a_directory)
{
    struct dir_lock lock;
    struct error error;
    cr_expect_eq(dir_lock_take(&lock, "/nonexistent/dir", &error), RESULT_IO);
    cr_expect_str_eq(error.text, "Cannot write to directory '/nonexistent/dir'; check permissions.");
    cr_expect_eq(lock.fd, -1);
}

Test(datadir, creating)
{
    char dir[32];
    char path[96];
    struct error error;
    struct stat st;
    make_place(dir);
    snprintf(path, sizeof(path), "%s/a/b", dir);
    cr_assert_eq(datadir_create(path, &error), RESULT_OK);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0700);
    strcat(path, "/wallets");
    cr_expect_eq(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/a/b", dir);
    cr_assert_eq(datadir_create(path, &error), RESULT_OK);
    strcat(path, "/wallets");
    cr_expect_neq(stat(path, &st), 0, "only in a new directory");
    snprintf(path, sizeof(path), "%s/file", dir);
    fclose(fopen(path, "w"));
    cr_expect_eq(datadir_create(path, &error), RESULT_IO);
    strcat(path, "/below");
    cr_expect_eq(datadir_create(path, &error), RESULT_IO);
    remove_place(dir);
}

Test(datadir, pid_file)
{
    char dir[32];
    char path[64];
    struct error error;
    make_place(dir);
    snprintf(path, sizeof(path), "%s/bitcoind.pid", dir);
    cr_assert_eq(pid_file_write(path, &error), RESULT_OK);
    FILE *f = fopen(path, "r");
    long pid = 0;
    cr_expect_eq(fscanf(f, "%ld\n", &pid), 1);
    cr_expect_eq(pid, (long)getpid());
    fclose(f);
    cr_expect_eq(pid_file_write("/nonexistent/x.pid", &error), RESULT_IO);
    cr_expect_str_eq(error.text, "Unable to create the PID file '/nonexistent/x.pid': No such file or directory");
    remove_place(dir);
}

/* What the parent learns from a child that reports VERDICT, or dies where that is negative. */
static bool background_result(int verdict)
{
    struct background b;
    struct error error;
    bool child;
    cr_assert_eq(background_fork(&b, &child, &error), RESULT_OK);
    if (child) {
        if (verdict >= 0) background_report(&b, verdict == 1);
        _exit(0);
    }
    bool ok = background_wait(&b);
    while (wait(NULL) > 0) {
    }
    return ok;
}

Test(process, background)
{
    cr_expect(background_result(1));
    cr_expect(!background_result(0));
    cr_expect(!background_result(-1));
    struct background none = {.fd = -1};
    background_report(&none, true);
}

Test(process, signals)
{
    struct signals s;
    struct error error;
    process_setup();
    cr_assert_eq(signals_open(&s, &error), RESULT_OK);
    cr_expect_eq(signals_take(&s), SIGNAL_NONE);
    kill(getpid(), SIGHUP);
    cr_expect_eq(signals_take(&s), SIGNAL_REOPEN);
    kill(getpid(), SIGTERM);
    cr_expect_eq(signals_take(&s), SIGNAL_STOP);
    kill(getpid(), SIGINT);
    cr_expect_eq(signals_take(&s), SIGNAL_STOP);
    kill(getpid(), SIGPIPE);
    cr_expect_eq(signals_take(&s), SIGNAL_NONE);
    signals_close(&s);
    mode_t mask = umask(0);
    cr_expect_eq(mask, 077);
}
