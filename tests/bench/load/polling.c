/* polling.c: clients that speak Socket.IO over HTTP long-polling: a GET request waits for packets,
 * and packets of the client are posted before the next one. Each client has one connection, which
 * is kept alive. Not here: packets (socketio.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "socketio.h"

#define SEPARATOR '\x1e'

static void poll_next(struct clients *clients, struct client *client)
{
    struct polling *polling = &client->polling;
    struct bytes body = polling->unsent;

    polling->is_post = body.length > 0;
    polling->unsent = (struct bytes){0};
    if (polling->is_post)
        client_request(clients, client, "POST", polling->session,
                       "Content-Type: text/plain;charset=UTF-8\r\n", &body);
    else
        client_request(clients, client, "GET", polling->session, "", NULL);
    free(body.data);
}

static void open_polling(struct clients *clients, struct client *client)
{
    free(client->polling.unsent.data);
    client->polling = (struct polling){0};
    poll_next(clients, client);
}

static void send_text(struct clients *clients, struct client *client, const char *text)
{
    struct bytes *unsent = &client->polling.unsent;

    (void)clients;
    if (unsent->length > 0)
        bytes_append(unsent, &(char){SEPARATOR}, 1);
    bytes_append(unsent, text, strlen(text));
}

struct answer {
    bool is_ok;
    const unsigned char *body;
    size_t length;
};

/* Reads the first answer. Returns its length, or 0 if it is incomplete. One without a length, which
 * no server here sends, is not ok. */
static size_t read_answer(const unsigned char *data, size_t length, struct answer *answer)
{
    static const char name[] = "\r\ncontent-length:";
    const unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    size_t head = end != NULL ? (size_t)(end - data) + 4 : 0;

    if (end == NULL)
        return 0;
    *answer = (struct answer){.body = data + head};
    for (const unsigned char *at = data; at + sizeof name - 1 < end; at++)
        if (*at == '\r' && strncasecmp((const char *)at, name, sizeof name - 1) == 0) {
            answer->is_ok = memmem(data, 16, " 200 ", 5) != NULL;
            answer->length = strtoul((const char *)at + sizeof name - 1, NULL, 10);
            break;
        }
    return length - head >= answer->length ? head + answer->length : 0;
}

/* Keeps the session's id from the packet that opens it: 0{"sid":"…",…}. */
static void begin_session(struct clients *clients, struct client *client,
                          const unsigned char *packet, size_t length)
{
    static const char name[] = "\"sid\":\"";
    const unsigned char *id = memmem(packet, length, name, sizeof name - 1);
    const unsigned char *end;

    if (id != NULL)
        id += sizeof name - 1;
    end = id != NULL ? memchr(id, '"', length - (size_t)(id - packet)) : NULL;
    if (end == NULL || end - id >= SESSION_MAX) {
        client_lose(clients, client, "the session has no id");
        return;
    }
    snprintf(client->polling.session, sizeof client->polling.session, "&sid=%.*s",
             (int)(end - id), (const char *)id);
    socketio_begin(clients, client);
}

static void handle_packets(struct clients *clients, struct client *client,
                           const struct answer *answer)
{
    const unsigned char *at = answer->body;
    const unsigned char *end = at + answer->length;

    while (at < end && client->state >= CLIENT_REQUESTING) {
        const unsigned char *last = memchr(at, SEPARATOR, (size_t)(end - at));
        size_t length = (size_t)((last != NULL ? last : end) - at);

        if (length > 0 && *at == '0')
            begin_session(clients, client, at, length);
        else
            socketio_packet(clients, client, at, length);
        at += length + 1;
    }
}

static size_t input(struct clients *clients, struct client *client, const unsigned char *data,
                    size_t length)
{
    struct answer answer;
    size_t size = read_answer(data, length, &answer);

    if (size == 0)
        return 0;
    if (!answer.is_ok) {
        client_lose(clients, client, "a request was refused");
        return size;
    }
    if (!client->polling.is_post)
        handle_packets(clients, client, &answer);
    if (client->state >= CLIENT_REQUESTING)
        poll_next(clients, client);
    return size;
}

const struct protocol polling_protocol = {open_polling, input, send_text};
