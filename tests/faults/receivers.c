/* receivers.c: a transport that records what it is sent, without allocating. Not here: what is sent
 * to it, and the expectations. */
#include "faults/receivers.h"

#include <string.h>

#include "faults/each_failure.h"

static int take(ws_message *message, void *transport_data)
{
    struct receiver *receiver = transport_data;
    size_t length;
    const void *payload = ws_message_payload(message, &length);

    expect(!receiver->closed, "a message was sent after the close");
    expect(receiver->length + length <= sizeof receiver->got, "too many bytes were sent");
    memcpy(receiver->got + receiver->length, payload, length);
    receiver->length += length;
    if (!receiver->keeps_first || receiver->first != NULL)
        return WS_OK;
    receiver->first = ws_message_ref(message);
    return WS_ERR_BACKPRESSURE;
}

static void close_it(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct receiver *receiver = transport_data;

    (void)code;
    (void)reason;
    (void)length;
    expect(!receiver->closed, "the transport was closed twice");
    receiver->closed = true;
}

const ws_transport receiver_transport = {
    .size = sizeof receiver_transport, .send = take, .close = close_it};

void receiver_connect(struct receiver *receiver, ws_manager *manager, ws_loop *loop,
                      const ws_connect_options *options)
{
    ws_connect_options copy;

    if (options != NULL)
        copy = *options;
    else
        ws_connect_options_init(&copy);
    copy.transport = &receiver_transport;
    copy.transport_data = receiver;
    receiver->id = 0;
    receiver->closed = false;
    receiver->length = 0;
    ws_manager_connect(manager, loop, &copy, &receiver->id);
}

bool receiver_got(const struct receiver *receiver, const char *text)
{
    return memmem(receiver->got, receiver->length, text, strlen(text)) != NULL;
}
