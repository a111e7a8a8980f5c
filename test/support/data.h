/* Test data: files under the data folder (CAIRN_TEST_DATA in the environment, else the folder given at configure time).
 * Where the folder is absent the tests that need it say so and are skipped. */
#ifndef CAIRN_TEST_SUPPORT_DATA_H
#define CAIRN_TEST_SUPPORT_DATA_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buffer.h"

/* The folder; DEFAULT is the configure-time one (the CAIRN_TEST_DATA macro of the test program). */
const char *data_folder(const char *configured);

/* True where the folder is there; otherwise says on standard error what is skipped. */
bool data_present(const char *configured, const char *what);

/* Reads the file NAME below the folder, unpacking it where it ends in .zst; stops the test program on failure. The
 * caller clears the buffer. */
struct buffer data_read(const char *configured, const char *name);

/* The same parsed as JSON; the caller calls json_decref. */
json_t *data_json(const char *configured, const char *name);

#endif
