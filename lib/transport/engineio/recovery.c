/* recovery.c: connection state recovery of Socket.IO. */
#include "transport/engineio/recovery.h"

#include <string.h>

#include "transport/engineio/kept.h"
#include "transport/engineio/push.h"
#include "transport/engineio/remember.h"

static struct kept *kept_of(const struct engineio_session *session)
{
    return session->is_raw ? NULL : session->endpoint->socketio->kept;
}

bool engineio_recovery_is_on(const struct engineio_session *session)
{
    return kept_of(session) != NULL;
}

static uint64_t now_ms(const struct engineio_session *session)
{
    return session->loop->clock.host_ms;
}

/* --- a client that returns -------------------------------------------------------------------- */

static bool read_auth(struct json_slice auth, struct pid *pid, char after[PID_OFFSET_SIZE])
{
    static const char *const names[] = {"pid", "offset"};
    struct json_slice values[2];

    if (auth.text == NULL || !json_members(auth.text, auth.length, names, values, 2) ||
        !pid_read(pid, values[0]))
        return false;
    if (values[1].text == NULL) {
        memcpy(after, pid->event, sizeof pid->event);
        return true;
    }
    return pid_copy_plain(values[1], after, PID_OFFSET_SIZE);
}

/* Writes the record of a session that has ended, or whose connection has not ended yet, because the
 * server has not noticed that its client is gone. */
static bool write_record(const struct engineio_session *session, const struct pid *pid,
                         struct buffer *record)
{
    ws_manager *manager = session->loop->manager;
    struct kept *kept = kept_of(session);
    ws_conn_id connection = 0;

    if (kept_find(kept, pid->key, now_ms(session), record, &connection)) {
        uint8_t key[PID_KEY];
        uint64_t rank;

        if (connection == 0 || record->length > 0)
            return true;
        return kept_key_of(kept, connection, key, &rank) &&
               record_write(record, manager, connection, rank);
    }
    return pid_is_own(pid, kept_secret(kept)) &&
           record_write(record, manager, transport_id_of(manager, pid->name), 0);
}

static struct record *find_record(const struct engineio_session *session, const struct pid *pid)
{
    const ws_allocator *memory = engineio_session_memory(session);
    struct record *record = NULL;
    struct buffer bytes;

    buffer_init(&bytes, memory);
    if (write_record(session, pid, &bytes) && !bytes.failed)
        record = record_read(memory, bytes.data, bytes.length);
    buffer_free(&bytes);
    return record;
}

/* Makes a returning client without its record; NULL if the data of its CONNECT names no session, or
 * if memory ran out. */
static struct returning *make_returning(const struct engineio_session *session,
                                        struct json_slice auth)
{
    struct returning *returning;
    char after[PID_OFFSET_SIZE];
    struct pid pid;

    if (!engineio_recovery_is_on(session) || !read_auth(auth, &pid, after))
        return NULL;
    returning = memory_alloc(engineio_session_memory(session), sizeof *returning);
    if (returning == NULL)
        return NULL;
    returning->pid = pid;
    memcpy(returning->after, after, sizeof after);
    returning->record = NULL;
    return returning;
}

struct returning *engineio_recovery_find(struct engineio_session *session,
                                         struct json_slice auth)
{
    struct returning *returning;

    if (engineio_remembers(session))
        return NULL;
    returning = make_returning(session, auth);
    if (returning == NULL)
        return NULL;
    returning->record = find_record(session, &returning->pid);
    if (returning->record != NULL)
        return returning;
    engineio_returning_free(returning, engineio_session_memory(session));
    return NULL;
}

void engineio_recovery_given_up(struct engineio_session *session)
{
    struct session_work *work = session->work;

    if (work == NULL || work->returning == NULL)
        return;
    engineio_returning_free(work->returning, engineio_session_memory(session));
    work->returning = NULL;
    engineio_session_trim(session);
}

/* --- a client whose session any process may know ---------------------------------------------- */

enum { RECALL_MAX_MS = 5000 };

/* Frees the question and goes on, with `returning` or without. */
static void go_on(struct asking *asking, struct returning *returning)
{
    struct engineio_session *session = asking->session;
    ws_loop *loop = session->loop; /* the session may be freed before the question */

    session->work->asking = NULL;
    unfinished_count(loop, &asking->unfinished, 0);
    timer_stop(&asking->timer);
    if (session->state >= SESSION_ENDING)
        engineio_returning_free(returning, engineio_session_memory(session));
    else
        asking->go_on(session, (struct json_slice){asking->auth, asking->length}, returning);
    engineio_asking_free(asking, loop);
}

static void recall_expired(struct timer *timer)
{
    struct asking *asking =
        (struct asking *)(void *)((char *)timer - offsetof(struct asking, timer));

    go_on(asking, NULL);
}

/* The carrier's record, or what this process knows better: the connection may still be here,
 * because the server has not noticed that its client is gone. */
static struct record *newest_record(const struct engineio_session *session,
                                    const struct recall *recall)
{
    const ws_allocator *memory = engineio_session_memory(session);
    ws_manager *manager = session->loop->manager;
    struct record *record = record_read(memory, recall->value, recall->length);
    struct record *newer = NULL;
    struct buffer bytes;
    ws_conn_id id;

    if (record == NULL)
        return NULL;
    id = transport_id_of(manager, record->name);
    buffer_init(&bytes, memory);
    if (id != 0 && record_write(&bytes, manager, id, record->rank) && !bytes.failed)
        newer = record_read(memory, bytes.data, bytes.length);
    buffer_free(&bytes);
    if (newer == NULL)
        return record;
    memory_free(memory, record);
    return newer;
}

static void recalled(ws_loop *loop, struct recall *recall)
{
    struct asking *asking = recall->owner;
    struct returning *returning = asking->returning;

    (void)loop;
    asking->recall = NULL;
    returning->record = recall->value != NULL ? newest_record(asking->session, recall) : NULL;
    if (returning->record != NULL)
        asking->returning = NULL;
    else
        returning = NULL;
    go_on(asking, returning);
}

static uint32_t patience_ms(const struct engineio_session *session)
{
    uint32_t most = session->endpoint->socketio->options.connect_timeout_ms / 2;

    return most < RECALL_MAX_MS ? most : RECALL_MAX_MS;
}

bool engineio_recovery_ask(struct engineio_session *session, struct json_slice auth,
                           void (*give_way)(void *session),
                           void (*then)(struct engineio_session *session,
                                        struct json_slice auth, struct returning *returning))
{
    const ws_allocator *memory = engineio_session_memory(session);
    struct returning *returning = NULL;
    struct asking *asking = NULL;
    char name[PID_KEY_NAME];

    if (engineio_remembers(session))
        returning = make_returning(session, auth);
    if (returning == NULL)
        return false;
    if (engineio_session_work(session) != NULL)
        asking = memory_zalloc(memory, sizeof *asking + auth.length);
    if (asking == NULL) {
        engineio_returning_free(returning, memory);
        return false;
    }
    asking->session = session;
    asking->returning = returning;
    asking->go_on = then;
    asking->length = auth.length;
    memcpy(asking->auth, auth.text, auth.length);
    asking->timer.kind = TIMER_RECALL;
    pid_name_key(returning->pid.key, name);
    asking->recall = cluster_recall(session->loop, name, recalled, asking);
    if (asking->recall == NULL) {
        engineio_asking_free(asking, session->loop);
        return false;
    }
    session->work->asking = asking;
    asking->unfinished.owner = session;
    asking->unfinished.give_way = give_way;
    unfinished_count(session->loop, &asking->unfinished, sizeof *asking + auth.length);
    session->loop->timers.expired[TIMER_RECALL] = recall_expired;
    timer_start(&session->loop->timers, &asking->timer, patience_ms(session));
    return true;
}

/* --- a client that has recovered -------------------------------------------------------------- */

/* A client whose session could not be recovered has a new pid, but names its old offset until
 * it has received another event. */
void engineio_recovery_set_options(const ws_loop *loop, const struct returning *returning,
                                   ws_connect_options *options)
{
    const struct record *record = returning->record;

    options->after = transport_later_id(loop, returning->after, returning->pid.event);
    options->former_connection_id = record->name;
    options->rooms = record->rooms;
    options->n_rooms = record->n_rooms;
}

bool engineio_recovery_begun(struct engineio_socket *socket, struct returning *returning)
{
    struct engineio_session *session = socket->session;
    const struct record *record = returning->record;
    ws_conn_id former = transport_id_of(session->loop->manager, record->name);

    if (!kept_adopt(kept_of(session), returning->pid.key, socket->connection.id,
                    record->rank + 1))
        return false;
    socket->is_returned = true;
    session->work->returning = returning;
    if (former != 0)
        ws_manager_disconnect(session->loop->manager, former, WS_CLOSE_GOING_AWAY,
                              "recovered on another connection");
    return true;
}

/* --- what the client receives ----------------------------------------------------------------- */

static void push_connected(struct engineio_socket *socket, const char *pid)
{
    struct engineio_session *session = socket->session;
    char name[TRANSPORT_NAME_SIZE];
    struct buffer packet;
    char text[512];

    buffer_init_with(&packet, engineio_session_memory(session), text, sizeof text);
    buffer_add_text(&packet, "4");
    socketio_packet_begin(&packet, SOCKETIO_CONNECT, 0,
                          engineio_space_slice(session, socket->space), SOCKETIO_NO_ID);
    buffer_add_text(&packet, "{\"sid\":\"");
    buffer_add(&packet, name, transport_name(&socket->connection, name));
    if (pid != NULL) {
        buffer_add_text(&packet, "\",\"pid\":\"");
        buffer_add_text(&packet, pid);
    }
    buffer_add_text(&packet, "\"}");
    engineio_session_push(session, &packet);
}

static bool make_pid(const struct engineio_socket *socket, const char *begin, struct pid *pid)
{
    char name[TRANSPORT_NAME_SIZE];

    name[transport_name(&socket->connection, name)] = '\0';
    return pid_make(pid, kept_secret(kept_of(socket->session)), name, begin);
}

void engineio_recovery_push_connected(struct engineio_socket *socket, const char *begin)
{
    struct pid pid;

    if (begin == NULL || socket->space != 0 || !engineio_recovery_is_on(socket->session) ||
        !make_pid(socket, begin, &pid)) {
        push_connected(socket, NULL);
        return;
    }
    engineio_remember(socket);
    push_connected(socket, pid.text);
}

/* The client is an ordinary new one, without the rooms of its session. */
static void refuse(struct engineio_socket *socket, const struct returning *returning)
{
    char begin[EVENT_ID_SIZE];

    kept_forget(kept_of(socket->session), returning->pid.key, socket->connection.id);
    socket->is_returned = false;
    transport_served_id(&socket->connection, begin);
    engineio_recovery_push_connected(socket, begin);
}

/* Events are lost that the client should have received: it learns of that because it cannot recover
 * its session after the end of this connection. */
static void end_lost(struct engineio_socket *socket)
{
    static const char reason[] = "missed events are no longer available";

    socket->is_lost = true;
    transport_post_end(&socket->connection, WS_CLOSE_TRY_AGAIN_LATER, reason,
                       sizeof reason - 1);
}

void engineio_recovery_proceeds(struct connection *connection, enum recovery_event event)
{
    struct engineio_socket *socket = (struct engineio_socket *)connection;
    struct engineio_session *session = socket->session;
    struct returning *returning = NULL;

    if (session == NULL)
        return;
    if (session->work != NULL) {
        returning = session->work->returning;
        session->work->returning = NULL;
    }
    if (event == RECOVERY_IS_LOST) {
        end_lost(socket);
    } else if (event == RECOVERY_IS_REFUSED && returning != NULL) {
        refuse(socket, returning);
    } else if (returning != NULL) {
        kept_settle(kept_of(session), connection->id);
        engineio_remember(socket);
        push_connected(socket, returning->pid.text);
    }
    engineio_returning_free(returning, engineio_session_memory(session));
    engineio_session_trim(session);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Keeps the session with the rooms that its socket is in or, if it has not recovered them yet, with
 * those of before. */
static void keep(struct engineio_socket *socket, const uint8_t key[PID_KEY], uint64_t rank)
{
    const struct engineio_session *session = socket->session;
    struct kept *kept = kept_of(session);
    struct buffer record;

    if (engineio_remembers(session)) {
        engineio_remember_end(socket, key, rank);
        return;
    }
    if (session->work != NULL && session->work->returning != NULL) {
        kept_end(kept, key, socket->connection.id, NULL, now_ms(session));
        return;
    }
    buffer_init(&record, engineio_session_memory(session));
    record_write(&record, session->loop->manager, socket->connection.id, rank);
    kept_end(kept, key, socket->connection.id, &record, now_ms(session));
    buffer_free(&record);
}

void engineio_recovery_socket_ends(struct engineio_socket *socket, bool returns)
{
    uint8_t key[PID_KEY];
    uint64_t rank;

    if (socket->space != 0 || !engineio_recovery_is_on(socket->session) ||
        !engineio_session_key(socket, key, &rank))
        return;
    if (returns && !socket->is_lost) {
        keep(socket, key, rank);
        return;
    }
    if (engineio_remembers(socket->session))
        engineio_forget(socket);
    kept_forget(kept_of(socket->session), key, socket->connection.id);
}

/* While the client's rooms are joined again, what is remembered is better. */
void engineio_recovery_rooms_changed(struct connection *connection)
{
    struct engineio_socket *socket = (struct engineio_socket *)connection;
    const struct engineio_session *session = socket->session;

    if (session != NULL && (session->work == NULL || session->work->returning == NULL))
        engineio_remember(socket);
}
