/* Who may use the HTTP server: users with salted password hashes, and the cookie file. */
#ifndef CAIRN_HTTP_AUTH_H
#define CAIRN_HTTP_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/result.h"

struct http_auth;

struct http_auth *http_auth_new(void);
void http_auth_free(struct http_auth *auth);

/* -rpcauth=USER:SALT$HASH, HASH being HMAC-SHA256 of the password under SALT, in hex; false where it is malformed. */
MUST_USE bool http_auth_add_hashed(struct http_auth *auth, const char *value);

/* -rpcuser and -rpcpassword: kept as a salted hash. SALT is random, in hex. */
void http_auth_add_password(struct http_auth *auth, const char *user, const char *password);

enum { HTTP_USER_MAX = 256 };

/* Checks the value of an Authorization header and copies the user's name (whatever the outcome) to USER. The time taken
 * does not tell how much of a password was right. */
MUST_USE bool http_auth_check(const struct http_auth *auth, const char *header, char user[HTTP_USER_MAX]);

/* Makes up a password for the user __cookie__, writes "__cookie__:PASSWORD" to PATH (through PATH.tmp, then renamed)
 * with MODE (0600, 0640 or 0644) and lets that user in. */
MUST_USE enum result http_auth_write_cookie(struct http_auth *auth, const char *path, unsigned mode, struct error *e);

/* Removes the cookie file if we wrote it. */
void http_auth_remove_cookie(struct http_auth *auth);

#endif
