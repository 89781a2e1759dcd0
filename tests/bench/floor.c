/* floor.c: the least work that a fan-out server can do: read, frame, send. The cost is that of the
 * system calls. There is no registry, no room, no JSON, and no check of the clients' input. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/bytes.h"
#include "common/frame.h"
#include "common/tcp_server.h"

enum { RECEIVE_BYTES = 256 * 1024 };

enum mode {
    MODE_SEND,  /* one send for each message and connection */
    MODE_BATCH, /* one send for each connection, with all messages of one read */
    MODE_ECHO   /* one send back to the sender, with all messages of one read */
};

struct session {
    struct bytes received; /* the beginning of a frame */
    struct bytes unsent;
};

static struct tcp_server server;
static enum mode mode;
static unsigned char input[RECEIVE_BYTES];
static struct bytes output;

static const char *answer(const char *head)
{
    (void)head;
    return "HTTP/1.1 101 Switching Protocols\r\n"
           "Upgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " HANDSHAKE_ACCEPT "\r\n\r\n";
}

static void opened(struct tcp_client *client)
{
    struct session *session = must_allocate(sizeof *session);

    *session = (struct session){0};
    client->session = session;
}

static void closed(struct tcp_client *client)
{
    struct session *session = client->session;

    free(session->received.data);
    free(session->unsent.data);
    free(session);
}

/* Ignores errors: the next read reports them. */
static void send_to(struct tcp_client *client, const void *data, size_t length)
{
    struct session *session = client->session;
    ssize_t sent = 0;

    if (session->unsent.length == 0)
        sent = send(client->fd, data, length, MSG_NOSIGNAL);
    if (sent < 0)
        sent = 0;
    if ((size_t)sent < length) {
        bytes_append(&session->unsent, (const char *)data + sent, length - (size_t)sent);
        tcp_client_watch_writable(&server, client, true);
    }
}

static bool writable(struct tcp_client *client)
{
    struct session *session = client->session;
    ssize_t sent = send(client->fd, session->unsent.data, session->unsent.length, MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN;
    bytes_consume(&session->unsent, (size_t)sent);
    tcp_client_watch_writable(&server, client, session->unsent.length > 0);
    return true;
}

static void send_output(struct tcp_client *sender)
{
    if (output.length > 0 && mode == MODE_ECHO)
        send_to(sender, output.data, output.length);
    else if (output.length > 0)
        for (size_t i = 0; i < server.n_clients; i++)
            send_to(server.clients[i], output.data, output.length);
    output.length = 0;
}

/* Returns the total length of the complete frames. */
static size_t relay_frames(struct tcp_client *sender, const unsigned char *data, size_t length)
{
    unsigned char head[FRAME_MAX_HEAD];
    struct frame frame;
    size_t done = 0;
    size_t size;

    while ((size = frame_read(data + done, length - done, &frame)) > 0) {
        done += size;
        if (frame.opcode != FRAME_TEXT)
            continue;
        bytes_append(&output, head, frame_write_head(head, FRAME_TEXT, false, frame.length));
        bytes_append(&output, frame.payload, frame.length);
        if (mode == MODE_SEND)
            send_output(sender);
    }
    send_output(sender);
    return done;
}

static bool readable(struct tcp_client *client)
{
    struct session *session = client->session;
    ssize_t length = recv(client->fd, input, sizeof input, 0);
    size_t done;

    if (length <= 0)
        return length < 0 && errno == EAGAIN;
    if (session->received.length > 0) {
        bytes_append(&session->received, input, (size_t)length);
        done = relay_frames(client, session->received.data, session->received.length);
        bytes_consume(&session->received, done);
        return true;
    }
    done = relay_frames(client, input, (size_t)length);
    if (done < (size_t)length)
        bytes_append(&session->received, input + done, (size_t)length - done);
    return true;
}

int main(int argc, char **argv)
{
    static const struct tcp_server_hooks hooks = {answer, opened, readable, writable, closed};
    static const char *const names[] = {"send", "batch", "echo"};

    for (mode = MODE_SEND; mode <= MODE_ECHO; mode++) {
        if (argc == 3 && strcmp(argv[2], names[mode]) == 0) {
            tcp_server_run(&server, atoi(argv[1]), &hooks);
            perror("floor");
            return 1;
        }
    }
    fputs("usage: floor PORT send|batch|echo\n", stderr);
    return 2;
}
