/* event_stream.c: clients that read an event stream (WHATWG HTML, "Server-sent events") in the
 * chunks of HTTP/1.1. */
#include <string.h>

#include "protocol.h"

static void open_stream(struct clients *clients, struct client *client)
{
    client_request(clients, client, "GET", "", "Accept: text/event-stream\r\n", NULL);
}

static size_t read_answer(struct clients *clients, struct client *client,
                          const unsigned char *data, size_t length)
{
    const unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    size_t size;

    if (end == NULL)
        return 0;
    size = (size_t)(end - data) + 4;
    if (memmem(data, size, " 200 ", 5) == NULL || memmem(data, size, "chunked", 7) == NULL) {
        client_lose(clients, client, "the stream was refused, or has no chunks");
        return 0;
    }
    client_opened(clients, client);
    return size;
}

/* Finds the content of the first chunk. Returns the length of the chunk, or 0 if it is
 * incomplete. */
static size_t read_chunk(const unsigned char *data, size_t length, size_t *head, size_t *size)
{
    *head = 0;
    *size = 0;
    for (; *head < length && data[*head] != '\r'; ++*head) {
        unsigned digit = data[*head];

        *size = *size << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    *head += 2;
    return *head < length && length - *head >= *size + 2 ? *head + *size + 2 : 0;
}

/* The end of an event: its last line and an empty one. memmem() took most of the load's time, so
 * that the load was slower than the server. */
static const unsigned char *find_end(const unsigned char *text, size_t length)
{
    const unsigned char *end = text + length;

    while (text < end && (text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        if (++text < end && *text == '\n')
            return text - 1;
    }
    return NULL;
}

/* Hands over the events of a chunk, each of which ends with an empty line. */
static void read_events(struct clients *clients, struct client *client,
                        const unsigned char *text, size_t length)
{
    const unsigned char *end;

    while (client->state == CLIENT_OPEN && (end = find_end(text, length)) != NULL) {
        size_t size = (size_t)(end - text);

        client_message(clients, client, text, size);
        text += size + 2;
        length -= size + 2;
    }
}

static size_t input(struct clients *clients, struct client *client, const unsigned char *data,
                    size_t length)
{
    size_t done = 0;
    size_t whole;
    size_t head;
    size_t size;

    if (client->state == CLIENT_REQUESTING) {
        done = read_answer(clients, client, data, length);
        if (done == 0)
            return 0;
    }
    while (client->state == CLIENT_OPEN &&
           (whole = read_chunk(data + done, length - done, &head, &size)) > 0) {
        if (size == 0)
            client_lose(clients, client, "the server ended the stream");
        else
            read_events(clients, client, data + done + head, size);
        done += whole;
    }
    return done;
}

const struct protocol event_stream_protocol = {open_stream, input, NULL};
