/* The obfuscation of block files: eight bytes, xor-ed over each file from its start (xor.dat holds them). */
#ifndef CAIRN_STORE_XOR_KEY_H
#define CAIRN_STORE_XOR_KEY_H

#include "base/result.h"
#include "base/span.h"

struct xor_key {
    uint8_t bytes[8];
};

bool xor_key_is_zero(const struct xor_key *key);

/* Xors LEN bytes that lie at OFFSET of their file. */
void xor_apply(const struct xor_key *key, uint64_t offset, uint8_t *data, size_t len);

/* Reads FOLDER/xor.dat; RESULT_NOT_FOUND where there is none (no error text). */
enum result xor_key_read(struct xor_key *key, const char *folder, struct error *e);
/* Creates FOLDER/xor.dat, which must not exist, and syncs it. */
enum result xor_key_create(const struct xor_key *key, const char *folder, struct error *e);

/* What errno means to us, with the text "WHAT PATH: strerror". */
enum result system_error(struct error *e, const char *what, const char *path);

/* Exactly LEN bytes at OFFSET; short counts and interrupts are dealt with. read: RESULT_CORRUPT at the file's end. */
enum result file_read_at(int fd, const char *path, uint64_t offset, uint8_t *out, size_t len, struct error *e);
enum result file_write_at(int fd, const char *path, uint64_t offset, const uint8_t *data, size_t len, struct error *e);

/* Makes names in FOLDER durable. */
enum result folder_sync(const char *folder, struct error *e);

#endif
