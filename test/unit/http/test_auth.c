/* Users, the cookie file, subnets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "http/allow.h"
#include "http/auth.h"

/* Base64 without tricks, for headers. */
static void put_basic(struct buffer *out, const char *plain)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(plain);
    buffer_put_str(out, "Basic ");
    for (size_t i = 0; i < len; i += 3) {
        unsigned v = 0;
        for (size_t k = 0; k < 3; k++) v = v << 8 | (i + k < len ? (uint8_t)plain[i + k] : 0);
        for (size_t k = 0; k < 4; k++) buffer_put_u8(out, i + k > len ? '=' : (uint8_t)digits[v >> (18 - 6 * k) & 63]);
    }
}

static bool lets_in(const struct http_auth *auth, const char *plain)
{
    char user[HTTP_USER_MAX];
    struct buffer header = {0};
    put_basic(&header, plain);
    bool good = http_auth_check(auth, buffer_text(&header), user);
    buffer_clear(&header);
    return good;
}

Test(auth, hashed_users)
{
    struct http_auth *auth = http_auth_new();
    /* made by the script that comes with Bitcoin Core */
    cr_assert(http_auth_add_hashed(auth,
                                   "rt:93648e835a54c573682c2eb19f882535$7681e9c5b74bdd85e78166031d2058e1069b3ed7ed9"
                                   "67c93fc63abba06f31144"));
    cr_assert(http_auth_add_hashed(auth,
                                   "user1:50358aa884c841648e0700b073c32b2e$b73e95fff0748cc0b517859d2ca47d9bac1aa7823"
                                   "1f3e48fa9222b612bd2083e"));
    cr_expect(lets_in(auth, "rt:cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM="));
    cr_expect(lets_in(auth, "user1:12345"));
    cr_expect_not(lets_in(auth, "user1:cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM="));
    cr_expect_not(lets_in(auth, "rt:cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM"));
    cr_expect_not(lets_in(auth, "rtx:cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM="));
    cr_expect_not(lets_in(auth, "user1:"));
    cr_expect_not(lets_in(auth, "user1"));
    cr_expect_not(lets_in(auth, ":12345"));
    http_auth_free(auth);
}

Test(auth, malformed_values)
{
    static const char *const bad[] = {"",       "\"\"", "foo", "foo:bar", "foo:bar:baz", "foo$bar:baz", "foo$bar$baz",
                                      "a:b$c$d"};
    struct http_auth *auth = http_auth_new();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) cr_expect_not(http_auth_add_hashed(auth, bad[i]), "%s", bad[i]);
    cr_expect_not(lets_in(auth, ":"));
    http_auth_free(auth);
}

Test(auth, plain_users_and_headers)
{
    char user[HTTP_USER_MAX];
    struct http_auth *auth = http_auth_new();
    http_auth_add_password(auth, "rpcuser\xf0\x9f\x92\xbb", "pass:word\xf0\x9f\x94\x91");
    http_auth_add_password(auth, "u", "p");
    cr_expect(lets_in(auth, "rpcuser\xf0\x9f\x92\xbb:pass:word\xf0\x9f\x94\x91"));
    cr_expect_not(lets_in(auth, "rpcuser\xf0\x9f\x92\xbb:pass:word\xf0\x9f\x94\x91x"));
    cr_expect(http_auth_check(auth, "Basic   dTpw ", user));
    cr_expect_str_eq(user, "u");
    cr_expect_not(http_auth_check(auth, "basic dTpw", user));
    cr_expect_not(http_auth_check(auth, "Bearer dTpw", user));
    cr_expect_not(http_auth_check(auth, "Basic dTp", user));
    cr_expect_not(http_auth_check(auth, "Basic dT=w", user));
    cr_expect_not(http_auth_check(auth, "Basic dTpw====", user));
    cr_expect_not(http_auth_check(auth, "Basic ", user));
    struct buffer longest = {0};
    for (int i = 0; i < 500; i++) buffer_put_u8(&longest, 'u');
    buffer_put_str(&longest, ":p");
    cr_expect_not(lets_in(auth, buffer_text(&longest)));
    buffer_clear(&longest);
    http_auth_free(auth);
}

Test(auth, cookie_file)
{
    char dir[] = "/tmp/cairn-auth-XXXXXX", path[64], text[200] = "";
    struct error e;
    struct stat st;
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/.cookie", dir);
    struct http_auth *auth = http_auth_new();
    umask(077);
    cr_assert_eq(http_auth_write_cookie(auth, path, 0640, &e), RESULT_OK);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0640);
    FILE *file = fopen(path, "r");
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    cr_expect_eq(len, strlen("__cookie__:") + 64);
    cr_expect_eq(strncmp(text, "__cookie__:", 11), 0);
    cr_expect(lets_in(auth, text));
    http_auth_remove_cookie(auth);
    cr_expect_neq(stat(path, &st), 0);
    http_auth_free(auth);

    snprintf(path, sizeof path, "%s/.cookie.tmp", dir); /* a folder in the way */
    cr_assert_eq(mkdir(path, 0700), 0);
    path[strlen(path) - 4] = '\0';
    auth = http_auth_new();
    cr_expect_eq(http_auth_write_cookie(auth, path, 0600, &e), RESULT_IO);
    cr_expect_neq(stat(path, &st), 0);
    strcat(path, ".tmp");
    rmdir(path);
    rmdir(dir);
    http_auth_free(auth);
}

Test(allow, subnets)
{
    static const char *const bad[] = {"",         "x",          "1.2.3",       "1.2.3.4/33",
                                      "1.2.3.4/", "::1/129",    "1.2.3.4/::1", "1.2.3.4/255.0.255.0",
                                      "[::1",     "[1.2.3.4]x", "1.2.3.4/-1"};
    struct http_allow a;
    http_allow_init(&a);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) cr_expect_not(http_allow_add(&a, bad[i]), "%s", bad[i]);
    cr_expect(http_allow_has(&a, "127.0.0.1") && http_allow_has(&a, "127.9.9.9") && http_allow_has(&a, "::1"));
    cr_expect(http_allow_has(&a, "::ffff:127.0.0.1"));
    cr_expect_not(http_allow_has(&a, "128.0.0.1") || http_allow_has(&a, "::2") || http_allow_has(&a, "nonsense"));
    cr_expect(http_allow_add(&a, "10.1.0.0/16") && http_allow_add(&a, "192.168.7.9/255.255.255.0") &&
              http_allow_add(&a, "[fd00::]/8") && http_allow_add(&a, "1.2.3.4"));
    cr_expect(http_allow_has(&a, "10.1.255.3") && http_allow_has(&a, "192.168.7.200") &&
              http_allow_has(&a, "fdff::1") && http_allow_has(&a, "1.2.3.4") && http_allow_has(&a, "fd00::1%eth0"));
    cr_expect_not(http_allow_has(&a, "10.2.0.1") || http_allow_has(&a, "192.168.8.1") ||
                  http_allow_has(&a, "fe00::1") || http_allow_has(&a, "1.2.3.5"));
    cr_expect(http_allow_add(&a, "0.0.0.0/0"));
    cr_expect(http_allow_has(&a, "9.9.9.9"));
    cr_expect_not(http_allow_has(&a, "2001:db8::1"));
    http_allow_clear(&a);
}
