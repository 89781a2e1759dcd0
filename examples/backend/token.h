/* token.h: judges a JSON Web Token (RFC 7519): is it genuine, does it hold now, whose is it.
 * Where keys come from is token_key.h, where a request's token is found is credentials.h. */
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
    TOKEN_AMBIGUOUS, /* a request brought two that differ */
    TOKEN_MALFORMED,
    TOKEN_WRONG_ALGORITHM,
    TOKEN_NOT_GENUINE,
    TOKEN_BAD_CLAIM,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET_VALID,
    TOKEN_WRONG_AUDIENCE,
    TOKEN_NO_MEMORY
};

/* What tokens are signed with. */
struct token_key {
    const char *algorithm; /* the only one that is taken, as a token's head names it */
    unsigned char *bytes;  /* the secret, or a public key as PEM */
    size_t length;
};

struct token_claims {
    char user_id[WS_NAME_MAX + 1];
    int64_t expires_ms; /* since 1970 */
    bool is_staff;
};

/* Judges a token for the audience, NULL for tokens that name none; `claims` are set for TOKEN_OK.
 * Any thread. */
enum token_result token_check(const struct token_key *key, const char *audience,
                              const char *token, int64_t now_ms, struct token_claims *claims);

/* What a refused client is told. */
const char *token_result_text(enum token_result result);

#endif
