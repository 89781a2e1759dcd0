/* polling_new.c: registers the transport with a loop, and opens sessions. */
#include "transport/polling/polling_new.h"

#include "transport/engineio/acks.h"
#include "transport/engineio/begin.h"
#include "transport/http/error_response.h"
#include "transport/polling/carrier.h"
#include "transport/polling/heartbeat.h"
#include "transport/polling/life.h"

/* --- a loop's part --------------------------------------------------------------------------- */

/* The loop ends, and no request of it is left. Those of other loops are answered when their time is
 * over. */
static void drop(struct polling *polling)
{
    polling_enter(polling);
    polling->node.is_listed = false;
    if (polling->poll != NULL)
        ticket_drop(polling->loop, polling->poll);
    if (polling->post != NULL)
        ticket_drop(polling->loop, polling->post);
    polling_become(polling, POLLING_GONE);
    polling_leave(polling);
}

static void leave_loop(ws_loop *loop)
{
    struct session_node *node = session_table_take_all(loop);

    while (node != NULL) {
        struct polling *polling = (struct polling *)node;

        node = (struct session_node *)node->node.next;
        drop(polling);
    }
}

static bool join_loop(ws_loop *loop)
{
    if (loop->parts[PART_POLLING] != NULL)
        return true;
    if (!session_table_make(loop))
        return false;
    loop->parts[PART_POLLING] = loop->parts[PART_SESSIONS]; /* it has no memory of its own */
    loop->free_part[PART_POLLING] = leave_loop;
    loop->timers.expired[TIMER_POLLING] = polling_timer_expired;
    loop->timers.expired[TIMER_ENGINEIO] = engineio_timer_expired;
    loop->timers.expired[TIMER_ACK] = acks_timer_expired;
    return true;
}

/* --- sessions -------------------------------------------------------------------------------- */

static void discard(struct polling *polling)
{
    polling_enter(polling);
    session_table_remove(polling->loop, &polling->node);
    polling_become(polling, POLLING_GONE);
    polling_leave(polling);
}

/* Makes a session that is in the table, under a new key; NULL if memory ran out. */
static struct polling *make(ws_http *http)
{
    struct polling *made = polling_make(http->loop, http->endpoint);
    struct sid_key key;

    if (made == NULL)
        return NULL;
    made->node.session =
        engineio_session_new(made->loop, made->endpoint, &polling_carrier, made);
    if (made->node.session == NULL || !sid_draw(&key) ||
        !session_table_add(made->loop, &made->node, &key)) {
        discard(made);
        return NULL;
    }
    return made;
}

/* Counts the session for its client; false if it may not open. */
static bool count_client(struct polling *polling, const char *client, struct refusal *refusal)
{
    uint32_t most = polling_options(polling)->max_sessions_per_client;

    if (most == 0 || client == NULL || *client == '\0')
        return true;
    switch (client_counts_enter(polling->endpoint->clients, client, most, &polling->client)) {
    case CLIENT_COUNTED:
        return true;
    case CLIENT_HAS_TOO_MANY:
        *refusal =
            (struct refusal){.status = 429, .reason = "the client has too many sessions"};
        return false;
    case CLIENT_NO_MEMORY:
        break;
    }
    return false;
}

static struct polling *begin(ws_http *http, const struct ws_handshake *handshake,
                             struct request **request, struct refusal *refusal)
{
    struct polling *made;

    *refusal = (struct refusal){.status = 503, .reason = "out of memory"};
    if (!join_loop(http->loop))
        return NULL;
    made = make(http);
    if (made != NULL)
        polling_session(made)->client_class =
            session_table_class(made->loop, handshake->client);
    if (made != NULL && !count_client(made, handshake->client, refusal)) {
        discard(made);
        return NULL;
    }
    if (made != NULL &&
        engineio_begin(polling_session(made), handshake, request, refusal) == WS_OK)
        return made;
    if (made != NULL)
        discard(made);
    return NULL;
}

/* The limit of a client has a form that its script can read, as the other errors of Engine.IO. */
static void refuse(ws_http *http, struct response *response, const struct refusal *refusal,
                   const struct request *request)
{
    if (refusal->status != 429) {
        http_refuse(http, response, refusal, request);
        return;
    }
    counter_add(&http->loop->counters, COUNTER_handshakes_refused, 1);
    refusal_log(http->loop, refusal->status, refusal->reason, request);
    polling_answer_error(http, response, refusal->status, POLLING_FORBIDDEN, refusal->reason);
}

void polling_open(ws_http *http, const struct ws_handshake *handshake,
                  struct response *response, struct request **request)
{
    struct refusal refusal;
    struct polling *polling = begin(http, handshake, request, &refusal);
    struct buffer packets;

    if (polling == NULL) {
        refuse(http, response, &refusal, handshake->request);
        return;
    }
    polling_enter(polling);
    polling_await_ping(polling);
    engineio_session_open(polling_session(polling), &polling->node.key, true);
    buffer_init(&packets, http_memory(http));
    polling_take_packets(polling, &packets);
    if (packets.failed)
        polling_doom(polling);
    polling_answer_packets(http, response, &packets);
    buffer_free(&packets);
    polling_leave(polling);
}
