/* opening.h: which requests open a WebSocket (RFC 6455 §4.2.1), and what is wrong with the others,
 * in words that help whoever runs into it. Not here: what the application thinks (handshake.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_OPENING_H
#define WS_TRANSPORT_WEBSOCKET_OPENING_H

#include "transport/websocket/refusal.h"
#include "transport/websocket/request.h"

enum { OPENING_KEY_LENGTH = 24 /* of Sec-WebSocket-Key: the base64 of 16 bytes */ };

/* Judges a request whose head is complete. Afterwards refusal->status is 101, or an error. */
void opening_check(const struct request *request, struct refusal *refusal);

/* Says why a head that could not be read is refused: REQUEST_TOO_LARGE, _BAD or _BAD_VERSION. */
void opening_explain(const struct request *request, enum request_result result,
                     uint32_t max_head_bytes, struct refusal *refusal);

#endif
