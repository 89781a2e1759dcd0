/* connect.c: a client connects a socket to a namespace. */
#include <string.h>

#include "transport/engineio/push.h"
#include "transport/engineio/recovery.h"
#include "transport/engineio/session.h"
#include "transport/shared/handshake.h"
#include "transport/shared/refusal.h"
#include "transport/shared/registration.h"

/* CONNECT packets in a minute: one for each namespace, and some that failed. Each may call the
 * application, which checks a token. */
enum { MAX_CONNECTS = 2 * (CONFIG_SPACES_MAX + 1), MINUTE_MS = 60000 };

static void end_with(struct engineio_verdict *verdict, uint16_t code, const char *text)
{
    *verdict = (struct engineio_verdict){code, text};
}

/* Sends the error that ends the client's attempt. A status of 0 is left out. */
static void push_error(struct engineio_session *session, struct json_slice space,
                       const char *message, int status)
{
    struct buffer packet;
    char text[512];

    buffer_init_with(&packet, engineio_session_memory(session), text, sizeof text);
    buffer_add_text(&packet, "4");
    socketio_packet_begin(&packet, SOCKETIO_CONNECT_ERROR, 0, space, SOCKETIO_NO_ID);
    buffer_add_text(&packet, "{\"message\":");
    buffer_add_json_string(&packet, message, strlen(message));
    if (status != 0) {
        buffer_add_text(&packet, ",\"data\":{\"status\":");
        buffer_add_number(&packet, (uint64_t)status);
        buffer_add_text(&packet, "}");
    }
    buffer_add_text(&packet, "}");
    engineio_session_push(session, &packet);
}

static void refuse(struct engineio_session *session, struct json_slice space,
                   const char *message, int status)
{
    struct request *request = session->work != NULL ? session->work->head.request : NULL;

    counter_add(&session->loop->counters, COUNTER_handshakes_refused, 1);
    refusal_log(session->loop, status, message, request);
    push_error(session, space, message, status);
}

/* The request is needed no longer if there is no other namespace to connect to; else it is kept
 * until the timer expires. */
static void connected(struct engineio_session *session)
{
    if (session->work == NULL)
        return;
    if (session->endpoint->socketio->options.n_namespaces > 0) {
        heads_may_go(session->loop, &session->work->head);
        return;
    }
    timer_stop(&session->work->timer);
    heads_drop(session->loop, &session->work->head);
    engineio_session_trim(session);
}

/* Ends the session: after a refusal of their socket stock clients give up, after the end of the
 * connection they return. */
static void end_for_now(struct engineio_session *session, int result,
                        struct engineio_verdict *verdict)
{
    const char *reason = registration_failure(result);

    counter_add(&session->loop->counters, COUNTER_handshakes_refused, 1);
    refusal_log(session->loop, WS_CLOSE_TRY_AGAIN_LATER, reason,
                session->work != NULL ? session->work->head.request : NULL);
    end_with(verdict, WS_CLOSE_TRY_AGAIN_LATER, reason);
}

/* Registers a client and takes over `returning`; NULL: it does not recover a session. A client that
 * does is answered when its events are there (engineio_recovery_proceeds()). */
static void register_socket(struct engineio_session *session, uint8_t space,
                            const struct ws_handshake *handshake, struct returning *returning,
                            struct engineio_verdict *verdict)
{
    struct engineio_socket *socket = engineio_socket_new(session, space);
    char begin[EVENT_ID_SIZE];
    ws_connect_options options;
    int result = WS_ERR_NO_MEMORY;

    ws_connect_options_init(&options);
    options.user_id = handshake->has_user ? handshake->user_id : NULL;
    options.user_data = handshake->user_data;
    options.protocol = space == 0 ? WS_PROTOCOL_SOCKETIO : WS_PROTOCOL_RAW;
    if (returning != NULL)
        engineio_recovery_set_options(session->loop, returning, &options);
    transport_sent_id(session->loop->manager, begin);
    if (socket != NULL && (returning == NULL || engineio_session_work(session) != NULL))
        result = transport_connect(&socket->connection, session->loop, &options);
    if (result != WS_OK) {
        memory_free(engineio_session_memory(session), socket);
        engineio_returning_free(returning, engineio_session_memory(session));
        end_for_now(session, result, verdict);
        return;
    }
    engineio_session_add(session, socket);
    if (returning == NULL)
        engineio_recovery_push_connected(socket, begin);
    else if (!engineio_recovery_begun(socket, returning)) {
        engineio_returning_free(returning, engineio_session_memory(session));
        end_with(verdict, WS_CLOSE_INTERNAL_ERROR, "out of memory");
    }
    connected(session);
}

/* A client that is not the session's user becomes a new one. */
static struct returning *check_user(const struct engineio_session *session,
                                    struct returning *returning,
                                    const struct ws_handshake *handshake)
{
    if (returning == NULL ||
        record_is_of(returning->record, handshake->has_user ? handshake->user_id : NULL))
        return returning;
    engineio_returning_free(returning, engineio_session_memory(session));
    return NULL;
}

/* Judges the client by its request, if the session has it; `request` is NULL then. */
static void judge(struct engineio_session *session, const struct request *request,
                  uint8_t space, struct json_slice auth, struct returning *returning,
                  struct engineio_verdict *verdict)
{
    const ws_allocator *memory = engineio_session_memory(session);
    struct ws_handshake handshake;

    if (!handshake_judge_connect(
            &handshake, session->carrier_class->is_websocket ? session->carrier : NULL,
            session->carrier_class->host_data(session->carrier), session->endpoint, request,
            socketio_config_name(session->endpoint->socketio, space), auth))
        end_with(verdict, WS_CLOSE_INTERNAL_ERROR, "out of memory");
    else if (session->state >= SESSION_ENDING)
        ;
    else if (handshake.status != 101)
        refuse(session, engineio_space_slice(session, space),
               handshake.refusal != NULL ? handshake.refusal
                                         : "the application refused the client",
               handshake.status);
    else {
        register_socket(session, space, &handshake, check_user(session, returning, &handshake),
                        verdict);
        returning = NULL;
    }
    engineio_returning_free(returning, memory);
    handshake_free(&handshake);
}

/* The application may end the carrier within the call. Takes over `returning`. */
static void ask_application(struct engineio_session *session, uint8_t space,
                            struct json_slice auth, struct returning *returning,
                            struct engineio_verdict *verdict)
{
    struct session_work *work = session->work;

    if (work == NULL || work->head.request == NULL) {
        judge(session, NULL, space, auth, returning, verdict);
        return;
    }
    heads_use(&work->head);
    judge(session, work->head.request, space, auth, returning, verdict);
    heads_used(session->loop, &work->head);
    engineio_session_trim(session);
}

/* What is known of the client's former session has arrived. */
static void go_on(struct engineio_session *session, struct json_slice auth,
                  struct returning *returning)
{
    const struct engineio_carrier *carrier_class = session->carrier_class;
    void *carrier = session->carrier;
    struct engineio_verdict verdict = {.code = 0};

    carrier_class->hold(carrier);
    ask_application(session, 0, auth, returning, &verdict);
    if (verdict.code != 0 && session->state < SESSION_ENDING)
        carrier_class->fail(carrier, verdict.code, verdict.text);
    carrier_class->let_go(carrier);
}

/* Asks the application; before, if necessary, for the client's former session. */
static void begin(struct engineio_session *session, uint8_t space, struct json_slice auth,
                  struct engineio_verdict *verdict)
{
    if (space != 0)
        ask_application(session, space, auth, NULL, verdict);
    else if (engineio_recovery_ask(session, auth, engineio_session_give_way, go_on))
        engineio_session_limit_unfinished(session, verdict);
    else
        ask_application(session, space, auth, engineio_recovery_find(session, auth), verdict);
}

static bool is_connected(const struct engineio_session *session, uint8_t space)
{
    return engineio_session_find(session, space) != NULL ||
           (space == 0 && session->work != NULL && session->work->asking != NULL);
}

static bool is_one_too_many(struct engineio_session *session)
{
    uint32_t minute = (uint32_t)(session->loop->timers.now_ms / MINUTE_MS);

    if (session->minute != minute)
        session->n_connects = 0;
    session->minute = minute;
    return ++session->n_connects > MAX_CONNECTS;
}

uint32_t engineio_connect(struct engineio_session *session,
                          const struct socketio_packet *packet,
                          struct engineio_verdict *verdict)
{
    uint8_t space = socketio_config_find(session->endpoint->socketio, packet->space);

    if (is_one_too_many(session))
        end_with(verdict, WS_CLOSE_POLICY_VIOLATION, "too many attempts to connect");
    else if (space == CONFIG_NO_SPACE)
        push_error(session, packet->space, "Invalid namespace", 0);
    else if (is_connected(session, space))
        end_with(verdict, WS_CLOSE_PROTOCOL_ERROR, "the namespace is connected already");
    else
        begin(session, space, packet->data, verdict);
    return INPUT_COST_TOKEN;
}
