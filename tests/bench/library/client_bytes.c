/* client_bytes.c: the bytes that a client writes and reads (RFC 6455, section 5.2).
 * Not here: passing them to connections (memory_host.h). */
#include "client_bytes.h"

#include <stdio.h>
#include <string.h>

#include "figures.h"

size_t client_request(char to[CLIENT_REQUEST_MAX], const char *target)
{
    int length = snprintf(to, CLIENT_REQUEST_MAX,
                          "GET %s HTTP/1.1\r\n"
                          "Host: server.example.com\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
                          "Sec-WebSocket-Version: 13\r\n\r\n",
                          target);

    require(length > 0 && length < CLIENT_REQUEST_MAX, "writing a request");
    return (size_t)length;
}

size_t client_text(uint8_t to[CLIENT_FRAME_MAX], const char *text)
{
    static const uint8_t mask[] = {0x37, 0xfa, 0x21, 0x3d};
    size_t length = strlen(text);

    require(length <= CLIENT_TEXT_MAX, "writing a client's frame");
    to[0] = 0x81;
    to[1] = (uint8_t)(0x80 | length);
    memcpy(to + 2, mask, sizeof mask);
    for (size_t i = 0; i < length; i++)
        to[6 + i] = (uint8_t)text[i] ^ mask[i % 4];
    return 6 + length;
}

size_t server_text(const uint8_t *bytes, size_t length, const char **text, size_t *text_length)
{
    size_t header = 2;

    require(length >= 4 && bytes[0] == 0x81 && bytes[1] <= 126, "reading a server's frame");
    *text_length = bytes[1];
    if (bytes[1] == 126) {
        header = 4;
        *text_length = (size_t)bytes[2] << 8 | bytes[3];
        require(*text_length >= 126, "a server's frame has its shortest length");
    }
    require(header + *text_length <= length, "a server's frame is whole");
    *text = (const char *)bytes + header;
    return header + *text_length;
}
