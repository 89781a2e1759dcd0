/* session.c: a session of Engine.IO and its sockets: their life and their end. */
#include "transport/engineio/session.h"

#include <string.h>

#include "transport/engineio/acks.h"
#include "transport/engineio/packet.h"
#include "transport/engineio/plan.h"
#include "transport/engineio/push.h"
#include "transport/engineio/recovery.h"
#include "transport/engineio/unconnected.h"
#include "transport/shared/unfinished.h"

/* --- memory ---------------------------------------------------------------------------------- */

struct engineio_session *engineio_session_new(ws_loop *loop, const ws_endpoint *endpoint,
                                              const struct engineio_carrier *carrier_class,
                                              void *carrier)
{
    struct engineio_session *session = memory_zalloc(&loop->manager->memory, sizeof *session);

    if (session == NULL)
        return NULL;
    session->carrier_class = carrier_class;
    session->carrier = carrier;
    session->endpoint = endpoint;
    session->loop = loop;
    session->is_raw = endpoint->options.protocol == WS_PROTOCOL_ENGINEIO;
    return session;
}

void engineio_session_free(struct engineio_session *session)
{
    if (session == NULL)
        return;
    engineio_probe_end(session);
    engineio_session_free_work(session);
    memory_free(engineio_session_memory(session), session);
}

/* --- sockets --------------------------------------------------------------------------------- */

struct engineio_socket *engineio_socket_new(struct engineio_session *session, uint8_t space)
{
    struct engineio_socket *socket =
        memory_zalloc(engineio_session_memory(session), sizeof *socket);

    if (socket == NULL)
        return NULL;
    socket->connection.loop = session->loop;
    socket->connection.transport = TRANSPORT_ENGINEIO;
    socket->space = space;
    if (!session->is_raw)
        socket->space_name = socketio_config_name(session->endpoint->socketio, space);
    return socket;
}

static void become(struct engineio_session *session, enum session_state state)
{
    engineio_session_unlist(session);
    if (state >= SESSION_ENDING)
        engineio_session_drop_unfinished(session);
    if (state > session->state)
        session->state = (uint8_t)state & 3;
}

void engineio_session_add(struct engineio_session *session, struct engineio_socket *socket)
{
    socket->session = session;
    socket->next = session->sockets;
    session->sockets = socket;
    become(session, SESSION_CONNECTED);
}

static void drop_plan(struct engineio_session *session)
{
    if (session->work == NULL)
        return;
    plan_free(session->work->plan, session->loop);
    session->work->plan = NULL;
    engineio_session_trim(session);
}

static void remove_socket(struct engineio_socket *socket)
{
    struct engineio_socket **link = &socket->session->sockets;

    if (socket->space == 0)
        drop_plan(socket->session);
    while (*link != socket)
        link = &(*link)->next;
    *link = socket->next;
    socket->session = NULL;
}

/* The namespaces in which a session has sockets, for a walk during which it may lose some. */
struct walk {
    uint8_t spaces[CONFIG_SPACES_MAX + 1];
    size_t count;
};

static struct walk walk_of(const struct engineio_session *session)
{
    struct walk walk = {.count = 0};

    for (const struct engineio_socket *socket = session->sockets; socket != NULL;
         socket = socket->next)
        walk.spaces[walk.count++] = socket->space;
    return walk;
}

/* Enclose a walk that calls the application. The session may be freed by let_go(). */
static void hold(const struct engineio_session *session)
{
    session->carrier_class->hold(session->carrier);
}

static void let_go(const struct engineio_session *session)
{
    session->carrier_class->let_go(session->carrier);
}

ws_conn_id engineio_session_id(const struct engineio_session *session)
{
    const struct engineio_socket *socket = engineio_session_find(session, 0);

    return socket != NULL ? socket->connection.id : 0;
}

bool engineio_session_must_wait(const struct engineio_session *session, size_t times)
{
    if (session->probe == PROBE_MOVES)
        return session->work != NULL && session->work->probed != NULL;
    if (session->work != NULL && plan_is_waiting(session->work->plan))
        return true;
    for (const struct engineio_socket *socket = session->sockets; socket != NULL;
         socket = socket->next)
        if (socket->client_left || connection_awaits_command(&socket->connection) ||
            connection_has_values(&socket->connection, times))
            return true;
    return false;
}

bool engineio_session_awaits_client(const struct engineio_session *session)
{
    for (const struct engineio_socket *socket = session->sockets; socket != NULL;
         socket = socket->next)
        if (connection_pending_values(&socket->connection) > 0)
            return true;
    return false;
}

void engineio_session_wait(const struct engineio_session *session, size_t times,
                           struct input *input)
{
    struct plan *plan = session->work != NULL ? session->work->plan : NULL;
    struct connection *reader = NULL;

    if (session->probe == PROBE_MOVES) {
        input_list_hold(input, &session->work->held);
        return;
    }
    if (plan_is_waiting(plan) && plan->input == NULL) {
        input_list_hold(input, &plan->input);
        return;
    }
    for (struct engineio_socket *socket = session->sockets; socket != NULL;
         socket = socket->next)
        if (connection_has_values(&socket->connection, times) ||
            transport_is_held(&socket->connection))
            reader = &socket->connection;
    input_wait(session->loop, input, reader);
}

void engineio_session_filled(struct engineio_session *session)
{
    struct walk walk = walk_of(session);

    hold(session);
    for (size_t i = 0; i < walk.count; i++) {
        struct engineio_socket *socket = engineio_session_find(session, walk.spaces[i]);

        if (socket != NULL)
            transport_filled(&socket->connection);
    }
    let_go(session);
}

void engineio_session_writable(struct engineio_session *session)
{
    struct walk walk = walk_of(session);

    hold(session);
    for (size_t i = 0; i < walk.count; i++) {
        struct engineio_socket *socket = engineio_session_find(session, walk.spaces[i]);

        if (socket != NULL)
            transport_writable(&socket->connection);
    }
    let_go(session);
}

/* --- packets of the session's own ------------------------------------------------------------ */

void engineio_session_open(struct engineio_session *session, const struct sid_key *key,
                           bool can_upgrade)
{
    const ws_endpoint_options *options = &session->endpoint->options;
    struct buffer packet;
    struct sid_key drawn;
    char text[256];
    char sid[SID_SIZE] = "";

    buffer_init_with(&packet, engineio_session_memory(session), text, sizeof text);
    if (key == NULL && sid_draw(&drawn))
        key = &drawn;
    if (key != NULL)
        sid_write(session->loop, key, sid);
    packet.failed = key == NULL;
    engineio_open_write(&packet, &(struct engineio_open){
                                     .sid = sid,
                                     .can_upgrade = can_upgrade,
                                     .ping_interval_ms = options->ping_interval_ms,
                                     .ping_timeout_ms = options->pong_timeout_ms,
                                     .max_payload = options->max_message_bytes,
                                 });
    engineio_session_push(session, &packet);
}

/* --- waiting for a client to connect --------------------------------------------------------- */

static bool start_timer(struct engineio_session *session)
{
    struct session_work *work = engineio_session_work(session);

    if (work == NULL)
        return false;
    timer_start(&session->loop->timers, &work->timer,
                session->endpoint->socketio->options.connect_timeout_ms);
    unconnected_add(session);
    return true;
}

static_assert((UNCONNECTED_POLLING_MAX + UNCONNECTED_WEBSOCKET_MAX) * HEADS_SMALL_BYTES <
                  HEADS_BYTES,
              "there is room for large heads");

/* Makes room for another head: a session without a socket is nothing without its head, others lose
 * it before its time. False if there is no room. */
static bool make_room(const ws_loop *loop, size_t bytes, uint8_t client_class)
{
    while (!heads_fit(loop, bytes)) {
        struct kept_head *head = heads_first_to_go(loop, bytes, client_class);
        const struct session_work *work;
        struct engineio_session *session;

        if (head == NULL)
            return false;
        work =
            (struct session_work *)(void *)((char *)head - offsetof(struct session_work, head));
        session = work->session;
        heads_drop(loop, head);
        if (engineio_session_unlist(session))
            session->carrier_class->give_way(session->carrier);
    }
    return true;
}

int engineio_session_await_connect(struct engineio_session *session, struct request *request)
{
    if (!make_room(session->loop, request_bytes(request), session->client_class))
        return WS_ERR_LIMIT;
    if (!start_timer(session))
        return WS_ERR_NO_MEMORY;
    heads_keep(session->loop, &session->work->head, request, session->client_class);
    return WS_OK;
}

void engineio_timer_expired(struct timer *timer)
{
    struct session_work *work =
        (struct session_work *)(void *)((char *)timer - offsetof(struct session_work, timer));
    struct engineio_session *session = work->session;

    heads_drop(session->loop, &work->head);
    if (session->sockets == NULL && session->state < SESSION_ENDING) {
        counter_add(&session->loop->counters, COUNTER_timeouts, 1);
        session->carrier_class->fail(session->carrier, WS_CLOSE_POLICY_VIOLATION,
                                     "no socket was connected in time");
    } else {
        engineio_session_trim(session);
    }
}

/* --- the end --------------------------------------------------------------------------------- */

void engineio_session_finish(struct engineio_session *session, uint16_t code,
                             const char *reason, size_t length)
{
    struct walk walk = walk_of(session);

    hold(session);
    become(session, SESSION_ENDING);
    engineio_probe_end(session);
    if (walk.count == 0)
        session->carrier_class->close(session->carrier, code, reason, length);
    for (size_t i = 0; i < walk.count; i++) {
        struct engineio_socket *socket = engineio_session_find(session, walk.spaces[i]);

        if (socket != NULL)
            transport_post_end(&socket->connection, code, reason, length);
    }
    let_go(session);
}

void engineio_session_end(struct engineio_session *session, uint16_t code, const char *reason)
{
    struct walk walk = walk_of(session);

    hold(session);
    become(session, SESSION_ENDING);
    engineio_probe_end(session);
    if (walk.count == 0)
        session->carrier_class->close(session->carrier, code, reason,
                                      reason != NULL ? strlen(reason) : 0);
    for (size_t i = 0; i < walk.count; i++) {
        struct engineio_socket *socket = engineio_session_find(session, walk.spaces[i]);

        if (socket != NULL)
            transport_end(&socket->connection, code, reason);
    }
    let_go(session);
}

void engineio_session_give_way(void *owner)
{
    struct engineio_session *session = owner;

    hold(session);
    engineio_session_drop_unfinished(session);
    session->carrier_class->fail(session->carrier, WS_CLOSE_TRY_AGAIN_LATER,
                                 UNFINISHED_TOO_MANY);
    let_go(session);
}

void engineio_session_limit_unfinished(const struct engineio_session *session,
                                       struct engineio_verdict *verdict)
{
    const struct unfinished *ending =
        unfinished_excess(session->loop, session->endpoint->options.max_message_bytes);

    if (ending == NULL)
        return;
    if (ending->owner == session)
        *verdict = (struct engineio_verdict){WS_CLOSE_TRY_AGAIN_LATER, UNFINISHED_TOO_MANY};
    else
        ending->give_way(ending->owner);
}

void engineio_session_gone(struct engineio_session *session)
{
    hold(session);
    become(session, SESSION_GONE);
    engineio_probe_end(session);
    while (session->sockets != NULL) {
        struct engineio_socket *socket = session->sockets;

        uint8_t space = socket->space;

        engineio_recovery_socket_ends(socket, true);
        remove_socket(socket);
        transport_gone(&socket->connection, WS_CLOSE_ABNORMAL);
        acks_drop(session, space);
    }
    let_go(session);
}

/* After a DISCONNECT packet, stock clients do not reconnect by themselves; after the end of their
 * connection they do. A client that sends too fast is one of these, because it could connect its
 * socket again at once. */
static bool should_reconnect(uint16_t code)
{
    return code == WS_CLOSE_GOING_AWAY || code == WS_CLOSE_POLICY_VIOLATION ||
           code == WS_CLOSE_INTERNAL_ERROR || code == WS_CLOSE_SERVICE_RESTART ||
           code == WS_CLOSE_TRY_AGAIN_LATER;
}

static void push_disconnect(struct engineio_session *session, uint8_t space)
{
    struct buffer packet;
    char text[SOCKETIO_NAMESPACE_MAX + 8];

    buffer_init_with(&packet, engineio_session_memory(session), text, sizeof text);
    buffer_add_text(&packet, "4");
    socketio_packet_begin(&packet, SOCKETIO_DISCONNECT, 0, engineio_space_slice(session, space),
                          SOCKETIO_NO_ID);
    engineio_session_push(session, &packet);
}

static void socket_closed(struct connection *connection, uint16_t code, const char *reason,
                          size_t length)
{
    struct engineio_socket *socket = (struct engineio_socket *)connection;
    struct engineio_session *session = socket->session;

    if (session == NULL)
        return;
    hold(session);
    remove_socket(socket);
    acks_drop(session, socket->space);
    if (socket->space == 0)
        engineio_recovery_given_up(session);
    if (session->state == SESSION_GONE) {
        ; /* the application has freed the carrier */
    } else if (session->state == SESSION_ENDING) {
        if (session->sockets == NULL)
            session->carrier_class->close(session->carrier, code, reason, length);
    } else if (session->is_raw || should_reconnect(code)) {
        engineio_session_finish(session, code, reason, length);
    } else {
        if (!socket->client_left)
            push_disconnect(session, socket->space);
        if (session->sockets == NULL && !start_timer(session))
            session->carrier_class->fail(session->carrier, WS_CLOSE_INTERNAL_ERROR,
                                         "out of memory");
    }
    let_go(session);
}

/* Its client may recover the session unless it, or the application, has ended it. */
static void socket_ending(struct connection *connection, uint16_t code)
{
    struct engineio_socket *socket = (struct engineio_socket *)connection;
    const struct engineio_session *session = socket->session;

    if (session != NULL)
        engineio_recovery_socket_ends(
            socket, !socket->client_left &&
                        (session->state >= SESSION_ENDING || should_reconnect(code)));
}

static void socket_released(struct connection *connection)
{
    memory_free(&connection->loop->manager->memory, connection);
}

/* A client that has missed events is ended, and receives none of those behind them. */
static int socket_send(struct connection *connection, ws_message *message)
{
    const struct engineio_socket *socket = (const struct engineio_socket *)connection;

    if (message->form == MESSAGE_GAP && !socket->session->is_raw && !socket->is_lost)
        engineio_recovery_proceeds(connection, RECOVERY_IS_LOST);
    if (socket->is_lost) {
        ws_message_unref(message);
        return WS_OK;
    }
    return socket->session->carrier_class->send(socket->session->carrier, socket, message);
}

static const char *socket_space(const struct connection *connection)
{
    const struct engineio_socket *socket = (const struct engineio_socket *)connection;

    return socket->space_name;
}

const struct builtin_transport engineio_transport = {
    .send = socket_send,
    .close = socket_closed,
    .released = socket_released,
    .name_space = socket_space,
    .await_ack = acks_await,
    .recovery = engineio_recovery_proceeds,
    .rooms_changed = engineio_recovery_rooms_changed,
    .ending = socket_ending,
};
