/* handshake_check.h: which requests open a WebSocket (RFC 6455 §4.2.1), and a helpful explanation
 * of what is wrong with the others. Not here: the application's decision (handshake.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_HANDSHAKE_CHECK_H
#define WS_TRANSPORT_WEBSOCKET_HANDSHAKE_CHECK_H

#include "transport/shared/refusal.h"
#include "transport/shared/request.h"

enum { HANDSHAKE_KEY_LENGTH = 24 /* length of Sec-WebSocket-Key: the base64 of 16 bytes */ };

/* Checks a request whose head is complete. Sets refusal->status to 101, or to an error. */
void handshake_check(const struct request *request, struct refusal *refusal);

/* Explains why a head that could not be parsed is refused: REQUEST_TOO_LARGE, _BAD or
 * _BAD_VERSION. */
void handshake_explain(const struct request *request, enum request_result result,
                       uint32_t max_head_bytes, struct refusal *refusal);

#endif
