/* packet.c: reads and writes the packets of the Engine.IO protocol. */
#include "transport/engineio/packet.h"

#include <string.h>

#include "base/base64.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): the packet's data is changed later. */
const char *engineio_packet_read(char *text, size_t length, struct engineio_packet *packet)
{
    if (length == 0 || *text < '0' || *text > '6')
        return "the type of the packet is unknown";
    *packet = (struct engineio_packet){
        .type = (enum engineio_type)(*text - '0'),
        .data = text + 1,
        .length = length - 1,
    };
    return NULL;
}

/* --- payloads -------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): base64 is decoded in it. */
void engineio_payload_begin(struct engineio_payload *payload, char *text, size_t length,
                            size_t max_packets)
{
    *payload = (struct engineio_payload){text, text + length, max_packets};
}

static const char *read_binary(char *text, size_t length, struct engineio_packet *packet)
{
    *packet = (struct engineio_packet){
        .type = ENGINEIO_MESSAGE,
        .is_binary = true,
        .data = text + 1,
    };
    if (!base64_decode(text + 1, length - 1, (uint8_t *)text + 1, &packet->length))
        return "a binary packet is not base64";
    return NULL;
}

const char *engineio_payload_next(struct engineio_payload *payload,
                                  struct engineio_packet *packet)
{
    char *begin = payload->at;
    size_t left = (size_t)(payload->end - begin);
    char *separator = left > 0 ? memchr(begin, ENGINEIO_SEPARATOR, left) : NULL;
    size_t length = separator != NULL ? (size_t)(separator - begin) : left;
    const char *problem;

    if (payload->n_left == 0)
        problem = "the payload has too many packets";
    else if (length > 0 && *begin == 'b')
        problem = read_binary(begin, length, packet);
    else
        problem = engineio_packet_read(begin, length, packet);
    payload->n_left -= payload->n_left > 0;
    payload->at = separator != NULL && problem == NULL ? separator + 1 : NULL;
    return problem;
}

void engineio_payload_add(struct buffer *payload, size_t n_before,
                          const struct engineio_packet *packet)
{
    char digit = (char)('0' + packet->type);

    if (n_before > 0)
        buffer_add_text(payload, "\x1e");
    if (packet->is_binary) {
        buffer_add_text(payload, "b");
        base64_add(payload, packet->data, packet->length);
    } else {
        buffer_add(payload, &digit, 1);
        buffer_add(payload, packet->data, packet->length);
    }
}

/* --- the handshake --------------------------------------------------------------------------- */

void engineio_open_write(struct buffer *buffer, const struct engineio_open *open)
{
    buffer_add_text(buffer, "0{\"sid\":");
    buffer_add_json_string_or_null(buffer, open->sid);
    buffer_add_text(buffer,
                    open->can_upgrade ? ",\"upgrades\":[\"websocket\"]" : ",\"upgrades\":[]");
    buffer_add_text(buffer, ",\"pingInterval\":");
    buffer_add_number(buffer, open->ping_interval_ms);
    buffer_add_text(buffer, ",\"pingTimeout\":");
    buffer_add_number(buffer, open->ping_timeout_ms);
    buffer_add_text(buffer, ",\"maxPayload\":");
    buffer_add_number(buffer, open->max_payload);
    buffer_add_text(buffer, "}");
}
