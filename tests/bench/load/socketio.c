/* socketio.c: the client's side of Socket.IO 5 over Engine.IO 4. */
#include "socketio.h"

#include "protocol.h"

/* The first two digits of the packets that matter here. */
enum {
    CONNECT = '4' << 8 | '0',
    DISCONNECT = '4' << 8 | '1',
    EVENT = '4' << 8 | '2',
    CONNECT_ERROR = '4' << 8 | '4'
};

void socketio_begin(struct clients *clients, struct client *client)
{
    client->state = CLIENT_JOINING;
    client->protocol->send_text(clients, client, "40");
}

void socketio_packet(struct clients *clients, struct client *client,
                     const unsigned char *packet, size_t length)
{
    const char *hello = clients->options->hello;

    if (length == 1 && packet[0] == '2')
        client->protocol->send_text(clients, client, "3");
    if (length < 2)
        return;
    switch (packet[0] << 8 | packet[1]) {
    case CONNECT:
        if (hello != NULL)
            client->protocol->send_text(clients, client, hello);
        client_opened(clients, client);
        break;
    case EVENT:
        client_message(clients, client, packet + 2, length - 2);
        break;
    case DISCONNECT:
    case CONNECT_ERROR:
        client_lose(clients, client, "the server refused or ended its socket");
        break;
    default:
        break;
    }
}
