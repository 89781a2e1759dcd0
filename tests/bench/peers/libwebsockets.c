/* libwebsockets.c: fan-out as libwebsockets intends it: a ring holds the shared messages, and each
 * connection is written to in its own writable callback. */
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

enum { RING_MESSAGES = 8192, RECEIVE_BYTES = 64 * 1024, MAX_FILES = 20000 };

struct message {
    unsigned char *data; /* the payload begins at LWS_PRE */
    size_t length;
};

struct session {
    struct session *next;
    struct lws *wsi;
    unsigned long next_message; /* counted over all messages so far */
    struct bytes received;      /* a message that arrives in pieces */
    struct message reply;
};

static struct session *sessions;
static struct message ring[RING_MESSAGES];
static unsigned long n_messages;
static bool echo;

static void message_set(struct message *message, const void *payload, size_t length)
{
    free(message->data);
    message->data = must_allocate(LWS_PRE + length);
    memcpy(message->data + LWS_PRE, payload, length);
    message->length = length;
}

static void add_session(struct session *session, struct lws *wsi)
{
    *session = (struct session){.next = sessions, .wsi = wsi, .next_message = n_messages};
    sessions = session;
}

static void remove_session(struct session *session)
{
    struct session **link = &sessions;

    while (*link != NULL && *link != session)
        link = &(*link)->next;
    if (*link != NULL)
        *link = session->next;
    free(session->received.data);
    free(session->reply.data);
}

static void handle_message(struct session *session, const void *payload, size_t length)
{
    if (echo) {
        message_set(&session->reply, payload, length);
        lws_callback_on_writable(session->wsi);
        return;
    }
    message_set(&ring[n_messages++ % RING_MESSAGES], payload, length);
    for (struct session *each = sessions; each != NULL; each = each->next)
        lws_callback_on_writable(each->wsi);
}

static void receive(struct session *session, const void *data, size_t length)
{
    bool whole =
        lws_remaining_packet_payload(session->wsi) == 0 && lws_is_final_fragment(session->wsi);

    if (whole && session->received.length == 0) {
        handle_message(session, data, length);
        return;
    }
    bytes_append(&session->received, data, length);
    if (whole) {
        handle_message(session, session->received.data, session->received.length);
        bytes_consume(&session->received, session->received.length);
    }
}

static int write_message(struct session *session, const struct message *message)
{
    int written =
        lws_write(session->wsi, message->data + LWS_PRE, message->length, LWS_WRITE_TEXT);

    return written < 0 ? -1 : 0;
}

static int write_next(struct session *session)
{
    const struct message *message = &ring[session->next_message % RING_MESSAGES];

    if (echo)
        return write_message(session, &session->reply);
    if (session->next_message == n_messages)
        return 0;
    if (n_messages - session->next_message > RING_MESSAGES)
        return -1; /* too slow: its next message has been overwritten */
    session->next_message++;
    if (session->next_message < n_messages)
        lws_callback_on_writable(session->wsi);
    return write_message(session, message);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        add_session(user, wsi);
        return 0;
    case LWS_CALLBACK_CLOSED:
        remove_session(user);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        receive(user, in, length);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_next(user);
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {
        {.name = "fanout",
         .callback = on_event,
         .per_session_data_size = sizeof(struct session),
         .rx_buffer_size = RECEIVE_BYTES},
        {.name = NULL},
    };
    struct lws_context_creation_info info = {
        .iface = "127.0.0.1",
        .protocols = protocols,
        .fd_limit_per_thread = MAX_FILES,
        .gid = -1,
        .uid = -1,
    };
    struct lws_context *context;

    echo = argc == 3 && strcmp(argv[2], "echo") == 0;
    if (argc < 2 || argc > 3 || (argc == 3 && !echo)) {
        fputs("usage: libwebsockets PORT [echo]\n", stderr);
        return 2;
    }
    info.port = atoi(argv[1]);
    lws_set_log_level(LLL_ERR, NULL);
    context = lws_create_context(&info);
    if (context == NULL)
        return 1;
    while (lws_service(context, 0) >= 0)
        continue;
    lws_context_destroy(context);
    return 1;
}
