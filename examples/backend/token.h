/* token.h: checks a JSON Web Token (RFC 7519): its signature, its validity, its user.
 * Keys are read by token_key.h, signatures are checked by token_signature.h; a request's token is
 * found by credentials.h. */
#ifndef BACKEND_TOKEN_H
#define BACKEND_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

enum { TOKEN_MAX_BYTES = 8192 };

enum token_result {
    TOKEN_OK,
    TOKEN_MISSING,
    TOKEN_AMBIGUOUS, /* a request has two that differ */
    TOKEN_MALFORMED,
    TOKEN_WRONG_ALGORITHM,
    TOKEN_NOT_GENUINE,
    TOKEN_BAD_CLAIM,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET_VALID,
    TOKEN_WRONG_AUDIENCE,
    TOKEN_NO_MEMORY
};

/* What tokens are signed with: a secret or a key pair. */
struct token_key {
    const char *algorithm; /* the only one accepted, as a token's head names it */
    unsigned char *secret;
    size_t secret_length;
    struct evp_pkey_st *public_key; /* NULL: the secret */
};

struct token_claims {
    char user_id[WS_NAME_MAX + 1];
    int64_t expires_ms; /* since 1970-01-01 UTC */
    bool is_staff;
};

/* Checks a token. With `audience` NULL, it must not name any. `claims` are set on TOKEN_OK. Any
 * thread. */
enum token_result token_check(const struct token_key *key, const char *audience,
                              const char *token, int64_t now_ms, struct token_claims *claims);

/* The reason that a refused client receives. */
const char *token_result_text(enum token_result result);

#endif
