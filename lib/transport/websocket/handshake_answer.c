/* handshake_answer.c: the answer to an opening handshake that the application has decided on. */
#include "transport/websocket/handshake_answer.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "transport/websocket/handshake_check.h"

enum { ACCEPT_LENGTH = 28 };

uint16_t handshake_close_code(const struct ws_handshake *handshake)
{
    bool refused = handshake->status == 401 || handshake->status == 403;

    if (handshake->close_code != 0)
        return handshake->close_code;
    if (!refused || request_header(handshake->request, "Origin", 0) == NULL)
        return 0;
    return handshake->status == 401 ? WS_CLOSE_UNAUTHORIZED : WS_CLOSE_FORBIDDEN;
}

struct permessage_deflate handshake_deflate(const struct ws_handshake *handshake,
                                            const ws_endpoint *endpoint)
{
    if (!endpoint->options.deflate || handshake->declines_deflate)
        return (struct permessage_deflate){.accepted = false};
    return extension_negotiate(handshake->request);
}

/* Writes the value of Sec-WebSocket-Accept (§4.2.2 item 5.4). */
static void add_accept(struct buffer *buffer, const char *key, const EVP_MD *sha1)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char joined[HANDSHAKE_KEY_LENGTH + sizeof guid];
    unsigned char digest[SHA_DIGEST_LENGTH];
    unsigned char accept[ACCEPT_LENGTH + 1];

    memcpy(joined, key, HANDSHAKE_KEY_LENGTH);
    memcpy(joined + HANDSHAKE_KEY_LENGTH, guid, sizeof guid);
    if (EVP_Digest(joined, sizeof joined - 1, digest, NULL, sha1, NULL) != 1) {
        buffer->failed = true;
        return;
    }
    EVP_EncodeBlock(accept, digest, sizeof digest);
    buffer_add(buffer, accept, ACCEPT_LENGTH);
}

void handshake_write_answer(const struct ws_handshake *handshake, const ws_endpoint *endpoint,
                            const struct permessage_deflate *deflate, struct buffer *buffer)
{
    buffer_add_text(buffer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    add_accept(buffer, request_header(handshake->request, "Sec-WebSocket-Key", 0),
               endpoint->sha1);
    buffer_add_text(buffer, "\r\n");
    if (deflate->accepted) {
        buffer_add_text(buffer, "Sec-WebSocket-Extensions: ");
        extension_write(deflate, buffer);
        buffer_add_text(buffer, "\r\n");
    }
    if (handshake->subprotocol != NULL) {
        buffer_add_text(buffer, "Sec-WebSocket-Protocol: ");
        buffer_add_text(buffer, handshake->subprotocol);
        buffer_add_text(buffer, "\r\n");
    }
    buffer_add_text(buffer, "\r\n");
}
