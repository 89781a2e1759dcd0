/* offset.c: the offset in events of the application. */
#include "transport/engineio/offset.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where the data of an event begins that asks for no acknowledgement; NULL: it is another
 * packet. Sockets in "/" alone have a pid, so there is no namespace. */
static const char *event_data(const char *packet, size_t length)
{
    const char *end = packet + length;
    const char *at = packet + 2;

    if (length < 5 || packet[0] != '4' || (packet[1] != '2' && packet[1] != '5'))
        return NULL;
    if (packet[1] == '5') {
        while (at < end && is_digit(*at))
            at++;
        at += at < end && *at == '-';
    }
    return at < end && *at == '[' ? at : NULL;
}

bool offset_is_wanted(const struct engineio_socket *socket, const char *packet, size_t length)
{
    const char *data;
    const char *last = packet + length - 1;

    if (socket->space_name == NULL || socket->space != 0 || socket->session == NULL ||
        socket->session->endpoint->socketio->kept == NULL)
        return false;
    data = event_data(packet, length);
    if (data == NULL || *last != ']')
        return false;
    do
        last--;
    while (last > data && strchr(" \t\r\n", *last) != NULL);
    return *last == '"';
}

size_t offset_write(const struct engineio_socket *socket, char text[OFFSET_MAX])
{
    char id[EVENT_ID_SIZE];
    char *to = text;

    transport_served_id(&socket->connection, id);
    to = stpcpy(to, ",\"");
    to = stpcpy(to, id);
    *to++ = '"';
    return (size_t)(to - text);
}
