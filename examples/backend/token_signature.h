/* token_signature.h: whether a signature was made with the key, by HS256, RS256 or ES256 (RFC 7518
 * §3).
 * What is signed is read by token.h; the key is read by token_key.h. */
#ifndef BACKEND_TOKEN_SIGNATURE_H
#define BACKEND_TOKEN_SIGNATURE_H

#include <stddef.h>

#include "token.h"

/* TOKEN_OK, TOKEN_NOT_GENUINE or TOKEN_NO_MEMORY. Any thread. */
enum token_result token_signature_check(const struct token_key *key, const char *text,
                                        size_t length, const unsigned char *signature,
                                        size_t signature_length);

#endif
