/* credentials.h: finds the token of a request, in a header, in its query or in an auth of
 * Socket.IO. It is checked by token.h. */
#ifndef BACKEND_CREDENTIALS_H
#define BACKEND_CREDENTIALS_H

#include <cjson/cJSON.h>

#include "token.h"
#include <ws_manager/server_http.h>

struct credentials {
    enum token_result result; /* TOKEN_OK: one was found */
    char token[TOKEN_MAX_BYTES + 1];
};

void credentials_init(struct credentials *credentials);

/* Adds the tokens of a request's Authorization headers and of its query. Headers that differ are
 * ambiguous even if only one of them has a token: a proxy may have checked the other. */
void credentials_add_request(struct credentials *credentials, const ws_server_request *request);

/* Adds the token of a Sec-WebSocket-Protocol header. NULL and a value without a token change
 * nothing. */
void credentials_add_protocols(struct credentials *credentials, const char *value);

/* Adds the tokens of a handshake's query and of its Authorization header; NULL: it has none. A
 * header with a comma is ambiguous: it may be several, joined by the library. */
void credentials_add_handshake(struct credentials *credentials, const char *query,
                               const char *authorization);

/* Adds the text `token` of a client's auth of Socket.IO. Without it nothing changes. */
void credentials_add_auth(struct credentials *credentials, const cJSON *auth);

#endif
