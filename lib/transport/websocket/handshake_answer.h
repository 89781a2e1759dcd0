/* handshake_answer.h: the answer to an opening handshake that the application has decided on (RFC
 * 6455 §4.2.2). Not here: the decision (shared/handshake.h), and other answers
 * (shared/refusal.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_HANDSHAKE_ANSWER_H
#define WS_TRANSPORT_WEBSOCKET_HANDSHAKE_ANSWER_H

#include "transport/shared/handshake.h"
#include "transport/websocket/extension.h"

/* The close code with which to refuse the client after a handshake: the library's own, or one that
 * tells a browser's script the status, which it does not see (WHATWG WebSockets). 0 if the refusal
 * is to be an HTTP answer. */
uint16_t handshake_close_code(const struct ws_handshake *handshake);

/* The compression that is agreed on with the client. */
struct permessage_deflate handshake_deflate(const struct ws_handshake *handshake,
                                            const ws_endpoint *endpoint);

/* Writes the answer that opens the WebSocket: 101. */
void handshake_write_answer(const struct ws_handshake *handshake, const ws_endpoint *endpoint,
                            const struct permessage_deflate *deflate, struct buffer *buffer);

#endif
