/* token_key.h: reads the key of the tokens' signatures from its file.
 * It is used by token.h. */
#ifndef BACKEND_TOKEN_KEY_H
#define BACKEND_TOKEN_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "token.h"

/* A secret for HS256: all the bytes of the file. False with a reason, and nothing to free. */
bool token_key_read_secret(const char *path, struct token_key *key, char *reason, size_t size);

/* A public key in PEM: RSA of 2,048 to 4,096 bits for RS256, or on the curve P-256 for ES256. False
 * with a reason, and nothing to free. */
bool token_key_read_public(const char *path, struct token_key *key, char *reason, size_t size);

/* Leaves nothing of the key in memory. */
void token_key_free(struct token_key *key);

#endif
