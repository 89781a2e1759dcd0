/* answer.h: the answers to requests of polling: packets, "ok", and the errors of Engine.IO. */
#ifndef WS_TRANSPORT_POLLING_ANSWER_H
#define WS_TRANSPORT_POLLING_ANSWER_H

#include "transport/http/response.h"

/* The errors that clients know by number. */
enum polling_error {
    POLLING_UNKNOWN_TRANSPORT,
    POLLING_UNKNOWN_SID,
    POLLING_BAD_METHOD,
    POLLING_BAD_REQUEST,
    POLLING_FORBIDDEN,
    POLLING_UNSUPPORTED_VERSION
};

/* The text of an error. */
const char *polling_error_text(enum polling_error error);

/* These answer a request and free the response, whose fields the answer has too. */
void polling_answer_error(ws_http *http, struct response *response, int status,
                          enum polling_error error, const char *text);
void polling_answer_packets(ws_http *http, struct response *response,
                            const struct buffer *packets);
void polling_answer_ok(ws_http *http, struct response *response);

#endif
