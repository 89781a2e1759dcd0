/* wslay.c: a simple server on wslay, as written in an afternoon: an event context for each
 * connection, wslay_event_queue_msg() for each recipient. Not here: accepting and epoll
 * (tcp_server.c). */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

#include "common/tcp_server.h"

enum { KEY_BYTES = 24 };

static struct tcp_server server;
static bool echo;
static bool has_queued;

static const char *answer(const char *head)
{
    static const char field[] = "Sec-WebSocket-Key: ";
    static char text[256];
    const char *key = strstr(head, field);
    char joined[KEY_BYTES + sizeof "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"];
    unsigned char digest[SHA_DIGEST_LENGTH];
    unsigned char accept[32];

    if (key == NULL)
        return NULL;
    snprintf(joined, sizeof joined, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", KEY_BYTES,
             key + sizeof field - 1);
    SHA1((const unsigned char *)joined, strlen(joined), digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    snprintf(text, sizeof text,
             "HTTP/1.1 101 Switching Protocols\r\n"
             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             (const char *)accept);
    return text;
}

static void fail(wslay_event_context_ptr context)
{
    wslay_event_set_error(context,
                          errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
}

static ssize_t receive_bytes(wslay_event_context_ptr context, uint8_t *data, size_t length,
                             int flags, void *user_data)
{
    const struct tcp_client *client = user_data;
    ssize_t received = recv(client->fd, data, length, 0);

    (void)flags;
    if (received > 0)
        return received;
    if (received == 0)
        errno = ECONNRESET;
    fail(context);
    return -1;
}

static ssize_t send_bytes(wslay_event_context_ptr context, const uint8_t *data, size_t length,
                          int flags, void *user_data)
{
    const struct tcp_client *client = user_data;
    int more = (flags & WSLAY_MSG_MORE) != 0 ? MSG_MORE : 0;
    ssize_t sent = send(client->fd, data, length, MSG_NOSIGNAL | more);

    if (sent < 0)
        fail(context);
    return sent;
}

static void on_message(wslay_event_context_ptr context,
                       const struct wslay_event_on_msg_recv_arg *received, void *user_data)
{
    struct wslay_event_msg message = {received->opcode, received->msg, received->msg_length};

    (void)user_data;
    if (wslay_is_ctrl_frame(received->opcode))
        return;
    if (echo) {
        wslay_event_queue_msg(context, &message);
        return;
    }
    for (size_t i = 0; i < server.n_clients; i++)
        wslay_event_queue_msg(server.clients[i]->session, &message);
    has_queued = true;
}

static void opened(struct tcp_client *client)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = receive_bytes,
        .send_callback = send_bytes,
        .on_msg_recv_callback = on_message,
    };
    wslay_event_context_ptr context = NULL;

    if (wslay_event_context_server_init(&context, &callbacks, client) != 0)
        abort();
    client->session = context;
}

static void closed(struct tcp_client *client)
{
    wslay_event_context_free(client->session);
}

static bool writable(struct tcp_client *client)
{
    if (wslay_event_send(client->session) != 0)
        return false;
    tcp_client_watch_writable(&server, client, wslay_event_want_write(client->session));
    return true;
}

static bool readable(struct tcp_client *client)
{
    wslay_event_context_ptr context = client->session;

    if (wslay_event_recv(context) != 0)
        return false;
    if (has_queued) {
        has_queued = false;
        for (size_t i = 0; i < server.n_clients; i++)
            writable(server.clients[i]);
    } else if (!writable(client)) {
        return false;
    }
    return wslay_event_want_read(context) || wslay_event_want_write(context);
}

int main(int argc, char **argv)
{
    static const struct tcp_server_hooks hooks = {answer, opened, readable, writable, closed};

    echo = argc == 3 && strcmp(argv[2], "echo") == 0;
    if (argc < 2 || argc > 3 || (argc == 3 && !echo)) {
        fputs("usage: wslay PORT [echo]\n", stderr);
        return 2;
    }
    tcp_server_run(&server, atoi(argv[1]), &hooks);
    perror("wslay");
    return 1;
}
