/* credentials.c: finds the token of a request, in a header, in its query or in an auth of
 * Socket.IO. It is checked in token.c. */
#include "credentials.h"

#include <string.h>
#include <strings.h>

#include "server/parts/text.h"

static const char scheme[] = "bearer"; /* also the subprotocol */

void credentials_init(struct credentials *credentials)
{
    credentials->result = TOKEN_MISSING;
    credentials->token[0] = '\0';
}

static void add_token(struct credentials *credentials, const char *token, size_t length)
{
    if (length == 0 || length > TOKEN_MAX_BYTES) {
        credentials->result = TOKEN_MALFORMED;
    } else if (credentials->result == TOKEN_MISSING) {
        memcpy(credentials->token, token, length);
        credentials->token[length] = '\0';
        credentials->result = TOKEN_OK;
    } else if (credentials->result == TOKEN_OK &&
               (strncmp(credentials->token, token, length) != 0 ||
                credentials->token[length] != '\0')) {
        credentials->result = TOKEN_AMBIGUOUS;
    }
}

void credentials_add_protocols(struct credentials *credentials, const char *value)
{
    bool is_next = false; /* "bearer" was the previous one */

    while (value != NULL && *value != '\0') {
        size_t length;

        value += strspn(value, ", \t");
        length = strcspn(value, ", \t");
        if (is_next) {
            add_token(credentials, value, length);
            return;
        }
        is_next = length == strlen(scheme) && strncmp(value, scheme, length) == 0;
        value += length;
    }
}

static void add_authorization(struct credentials *credentials, const char *value)
{
    if (strncasecmp(value, scheme, strlen(scheme)) != 0)
        return;
    value += strlen(scheme);
    if (*value == '\0' || *value == ' ') {
        value += strspn(value, " ");
        add_token(credentials, value, strlen(value));
    }
}

static void add_authorizations(struct credentials *credentials,
                               const ws_server_request *request)
{
    const char *first = NULL;
    ws_header header;

    for (size_t i = 0; ws_server_request_header_at(request, i, &header) == WS_OK; i++) {
        if (strcasecmp(header.name, "Authorization") != 0)
            continue;
        if (first != NULL && strcmp(first, header.value) != 0)
            credentials->result = TOKEN_AMBIGUOUS;
        else
            add_authorization(credentials, header.value);
        first = header.value;
    }
}

static void add_query(struct credentials *credentials, const char *query)
{
    char token[TOKEN_MAX_BYTES + 1];
    enum text_parameter found;

    while ((found = text_next_parameter(&query, "token", token, sizeof token)) !=
           TEXT_PARAMETER_ABSENT)
        if (found == TEXT_PARAMETER_FOUND)
            add_token(credentials, token, strlen(token));
        else
            credentials->result = TOKEN_MALFORMED;
}

void credentials_add_request(struct credentials *credentials, const ws_server_request *request)
{
    add_authorizations(credentials, request);
    add_query(credentials, ws_server_request_query(request));
}

void credentials_add_handshake(struct credentials *credentials, const char *query,
                               const char *authorization)
{
    if (authorization != NULL && strchr(authorization, ',') != NULL)
        credentials->result = TOKEN_AMBIGUOUS;
    else if (authorization != NULL)
        add_authorization(credentials, authorization);
    add_query(credentials, query);
}

void credentials_add_auth(struct credentials *credentials, const cJSON *auth)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, auth)
    {
        if (strcmp(member->string, "token") != 0)
            continue;
        if (cJSON_IsString(member))
            add_token(credentials, member->valuestring, strlen(member->valuestring));
        else
            credentials->result = TOKEN_MALFORMED;
    }
}
