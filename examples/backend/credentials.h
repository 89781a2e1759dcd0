/* credentials.h: finds the token that a request brings, in a header or in its query.
 * Whether it is worth anything is token.h. */
#ifndef BACKEND_CREDENTIALS_H
#define BACKEND_CREDENTIALS_H

#include "token.h"

/* Begins with no token: all zero, and TOKEN_MISSING. */
struct credentials {
    enum token_result result; /* TOKEN_OK: one was found */
    char token[TOKEN_MAX_BYTES + 1];
};

void credentials_init(struct credentials *credentials);

/* Adds what a header "Authorization" has, or "Sec-WebSocket-Protocol", or the query ("a=1&b=2").
 * NULL and what has no token change nothing. */
void credentials_add_authorization(struct credentials *credentials, const char *value);
void credentials_add_protocols(struct credentials *credentials, const char *value);
void credentials_add_query(struct credentials *credentials, const char *query);

#endif
