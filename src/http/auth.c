/* Users, salted hashes, the cookie file. */
#include "http/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/sha256.h"

struct http_user {
    char *name, *salt, *hash;
};

struct http_auth {
    struct http_user *users;
    size_t count;
    char *cookie_path; /* the file that we wrote, or NULL */
};

struct http_auth *http_auth_new(void)
{
    return mem_calloc(1, sizeof(struct http_auth));
}

void http_auth_free(struct http_auth *auth)
{
    if (!auth) return;
    for (size_t i = 0; i < auth->count; i++) {
        free(auth->users[i].name);
        free(auth->users[i].salt);
        free(auth->users[i].hash);
    }
    free(auth->users);
    free(auth->cookie_path);
    free(auth);
}

/* HMAC-SHA256 (RFC 2104) as 64 hex digits. */
static void hmac_hex(char out[65], struct span key, struct span message)
{
    struct sha256 h;
    uint8_t block[64] = {0}, pad[64], digest[32];
    if (key.len > sizeof block)
        sha256_once(block, key.data, key.len);
    else if (key.len)
        memcpy(block, key.data, key.len);
    for (size_t i = 0; i < sizeof pad; i++) pad[i] = block[i] ^ 0x36;
    sha256_init(&h);
    sha256_put(&h, pad, sizeof pad);
    sha256_put(&h, message.data, message.len);
    sha256_final(&h, digest);
    for (size_t i = 0; i < sizeof pad; i++) pad[i] = block[i] ^ 0x5c;
    sha256_init(&h);
    sha256_put(&h, pad, sizeof pad);
    sha256_put(&h, digest, sizeof digest);
    sha256_final(&h, digest);
    hex_encode(out, digest, sizeof digest);
}

/* The time depends on the length of GIVEN alone. */
static bool same_text(const char *secret, const char *given)
{
    size_t secret_len = strlen(secret), given_len = strlen(given);
    unsigned differs = secret_len != given_len;
    for (size_t i = 0; i < given_len; i++)
        differs |= (unsigned char)given[i] ^ (unsigned char)(secret_len ? secret[i % secret_len] : 0);
    return differs == 0;
}

static char *dup_part(const char *text, size_t len)
{
    char *copy = mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static void add_user(struct http_auth *auth, struct http_user user_taken)
{
    auth->users = mem_realloc(auth->users, auth->count + 1, sizeof *auth->users);
    auth->users[auth->count++] = user_taken;
}

bool http_auth_add_hashed(struct http_auth *auth, const char *value)
{
    const char *colon = strchr(value, ':');
    const char *dollar = colon ? strchr(colon, '$') : NULL;
    if (!dollar || strchr(colon + 1, ':') || strchr(dollar + 1, '$')) return false;
    add_user(auth, (struct http_user){.name = dup_part(value, (size_t)(colon - value)),
                                      .salt = dup_part(colon + 1, (size_t)(dollar - colon - 1)),
                                      .hash = mem_strdup(dollar + 1)});
    return true;
}

static void random_hex(char *out, size_t bytes)
{
    uint8_t raw[32];
    CHECK(bytes <= sizeof raw && getrandom(raw, bytes, 0) == (ssize_t)bytes);
    hex_encode(out, raw, bytes);
    explicit_bzero(raw, sizeof raw);
}

void http_auth_add_password(struct http_auth *auth, const char *user, const char *password)
{
    char salt[33], hash[65];
    random_hex(salt, 16);
    hmac_hex(hash, span_str(salt), span_str(password));
    add_user(auth, (struct http_user){.name = mem_strdup(user), .salt = mem_strdup(salt), .hash = mem_strdup(hash)});
}

static bool check_user(const struct http_auth *auth, const char *name, struct span password)
{
    bool good = false;
    for (size_t i = 0; i < auth->count; i++) {
        char hash[65];
        if (!same_text(auth->users[i].name, name)) continue;
        hmac_hex(hash, span_str(auth->users[i].salt), password);
        good |= same_text(auth->users[i].hash, hash);
    }
    return good;
}

bool http_auth_check(const struct http_auth *auth, const char *header, char user[HTTP_USER_MAX])
{
    struct buffer plain = {0};
    bool good = false;
    user[0] = '\0';
    if (strncmp(header, "Basic ", 6) != 0) return false;
    header += 6;
    size_t len = strlen(header);
    while (len && strchr(" \t\r\n\f\v", header[len - 1])) len--;
    while (len && strchr(" \t\r\n\f\v", *header)) {
        header++;
        len--;
    }
    if (base64_decode_append(&plain, span_of(header, len)) && plain.len) {
        const uint8_t *colon = memchr(plain.data, ':', plain.len);
        size_t name_len = colon ? (size_t)(colon - plain.data) : HTTP_USER_MAX;
        if (name_len < HTTP_USER_MAX && !memchr(plain.data, '\0', name_len)) {
            memcpy(user, plain.data, name_len);
            user[name_len] = '\0';
            good = check_user(auth, user, span_from(buffer_span(&plain), name_len + 1));
        }
    }
    if (plain.len) explicit_bzero(plain.data, plain.len);
    buffer_clear(&plain);
    return good;
}

static enum result write_file(const char *path, const char *text, unsigned mode, struct error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return error_set(e, RESULT_IO, "Unable to open cookie authentication file %s for writing", path);
    size_t len = strlen(text);
    bool good = fchmod(fd, mode) == 0 && write(fd, text, len) == (ssize_t)len;
    good = close(fd) == 0 && good;
    if (good) return RESULT_OK;
    unlink(path);
    return error_set(e, RESULT_IO, "Unable to write cookie authentication file %s: %s", path, strerror(errno));
}

enum result http_auth_write_cookie(struct http_auth *auth, const char *path, unsigned mode, struct error *e)
{
    char password[65];
    struct buffer temporary = {0}, text = {0};
    random_hex(password, 32);
    buffer_printf(&temporary, "%s.tmp", path);
    buffer_printf(&text, "__cookie__:%s", password);
    enum result result = write_file(buffer_text(&temporary), buffer_text(&text), mode, e);
    if (result == RESULT_OK && rename(buffer_text(&temporary), path) != 0) {
        unlink(buffer_text(&temporary));
        result = error_set(e, RESULT_IO, "Unable to rename cookie authentication file %s to %s",
                           buffer_text(&temporary), path);
    }
    if (result == RESULT_OK) {
        http_auth_add_password(auth, "__cookie__", password);
        free(auth->cookie_path);
        auth->cookie_path = mem_strdup(path);
    }
    explicit_bzero(password, sizeof password);
    buffer_clear(&temporary);
    buffer_clear(&text);
    return result;
}

void http_auth_remove_cookie(struct http_auth *auth)
{
    if (!auth->cookie_path) return;
    unlink(auth->cookie_path);
    free(auth->cookie_path);
    auth->cookie_path = NULL;
}
