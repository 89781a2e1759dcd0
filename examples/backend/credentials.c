/* credentials.c: finds the token of a request, in a header or in its query.
 * It is checked in token.c. */
#include "credentials.h"

#include <string.h>
#include <strings.h>

#include "text.h"

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

void credentials_add_authorization(struct credentials *credentials, const char *value)
{
    if (value == NULL || strncasecmp(value, scheme, strlen(scheme)) != 0)
        return;
    value += strlen(scheme);
    if (*value == '\0' || *value == ' ') {
        value += strspn(value, " ");
        add_token(credentials, value, strlen(value));
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

void credentials_add_query(struct credentials *credentials, const char *query)
{
    static const char name[] = "token=";
    const size_t name_length = strlen(name);

    while (query != NULL && *query != '\0') {
        size_t length = strcspn(query, "&");

        if (length >= name_length && strncmp(query, name, name_length) == 0) {
            char token[TOKEN_MAX_BYTES + 1];

            if (text_percent_decode(query + name_length, length - name_length, token,
                                    sizeof token))
                add_token(credentials, token, strlen(token));
            else
                credentials->result = TOKEN_MALFORMED;
        }
        query += length;
        query += *query == '&';
    }
}
