/* receiver.c: connections of a built-in transport, which splits the messages that it receives into
 * frames again. */
#include "support/receiver.h"

#include <stdlib.h>

#include "core/builtin_transport.h"
#include "core/manager.h"

/* A marker and the payload's length. */
static uint8_t write_header(uint8_t *payload, size_t length, bool is_text)
{
    (void)is_text;
    payload[-RECEIVER_HEADER] = '#';
    for (int i = 0; i < 4; i++)
        payload[i - RECEIVER_HEADER + 1] = (uint8_t)(length >> (24 - 8 * i));
    return RECEIVER_HEADER;
}

/* Returns the frame's length. */
static size_t take_frame(struct receiver *receiver, const uint8_t *frame, size_t left)
{
    size_t length = 0;

    ck_assert_uint_ge(left, RECEIVER_HEADER);
    ck_assert_uint_eq(frame[0], '#');
    for (int i = 1; i < RECEIVER_HEADER; i++)
        length = length << 8 | frame[i];
    ck_assert_uint_le(length, left - RECEIVER_HEADER);
    receiver->texts =
        realloc(receiver->texts, (receiver->n_texts + 1) * sizeof *receiver->texts);
    ck_assert_ptr_nonnull(receiver->texts);
    receiver->texts[receiver->n_texts++] =
        without_epoch(receiver->host->manager, (const char *)frame + RECEIVER_HEADER, length);
    return RECEIVER_HEADER + length;
}

static int receive(struct connection *connection, ws_message *message)
{
    struct receiver *receiver = (struct receiver *)connection;
    const uint8_t *frames = frames_bytes(&message->frames);
    size_t length = message->frames.length;
    size_t n_frames = 0;
    size_t size = 0;

    if (receiver->send_result != WS_OK)
        return receiver->send_result;
    for (size_t at = 0; at < length; at += size, n_frames++)
        size = take_frame(receiver, frames + at, length - at);
    ck_assert_uint_eq(message->frames.n_frames, n_frames);
    ck_assert_uint_eq(message->frames.before_last, length - size);
    if (length > receiver->largest)
        receiver->largest = length;
    receiver->n_messages++;
    ws_message_unref(message);
    return WS_OK;
}

static void close_receiver(struct connection *connection, uint16_t code, const char *reason,
                           size_t length)
{
    (void)connection;
    (void)code;
    (void)reason;
    (void)length;
}

/* The test owns the memory. */
static void release_receiver(struct connection *connection)
{
    (void)connection;
}

void receiver_connect(struct host *host, struct receiver *receiver)
{
    static const struct builtin_transport transport = {
        .framing = write_header,
        .send = receive,
        .close = close_receiver,
        .released = release_receiver,
    };
    ws_connect_options options;

    *receiver = (struct receiver){
        .connection = {.transport = TRANSPORT_WEBSOCKET},
        .host = host,
    };
    atomic_store(&host->manager->builtin[TRANSPORT_WEBSOCKET], &transport);
    ws_connect_options_init(&options);
    ck_assert_int_eq(connection_start(&receiver->connection, host->loop, &options), WS_OK);
}

void receiver_join(struct receiver *receiver, const char *room)
{
    ck_assert_int_eq(
        ws_manager_join_room(receiver->host->manager, receiver->connection.id, room), WS_OK);
}

void receiver_forget(struct receiver *receiver)
{
    for (size_t i = 0; i < receiver->n_texts; i++)
        free(receiver->texts[i]);
    free(receiver->texts);
    receiver->texts = NULL;
    receiver->n_texts = 0;
    receiver->n_messages = 0;
    receiver->largest = 0;
}
