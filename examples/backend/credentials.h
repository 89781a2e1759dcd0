/* credentials.h: finds the token of a request, in a header or in its query.
 * It is checked by token.h. */
#ifndef BACKEND_CREDENTIALS_H
#define BACKEND_CREDENTIALS_H

#include "token.h"

struct credentials {
    enum token_result result; /* TOKEN_OK: one was found */
    char token[TOKEN_MAX_BYTES + 1];
};

void credentials_init(struct credentials *credentials);

/* These add the token of an Authorization header, of a Sec-WebSocket-Protocol header, or of a
 * query ("a=1&b=2"). NULL and values without a token change nothing. */
void credentials_add_authorization(struct credentials *credentials, const char *value);
void credentials_add_protocols(struct credentials *credentials, const char *value);
void credentials_add_query(struct credentials *credentials, const char *query);

#endif
