/* remember.c: what a cluster's carrier remembers of sessions while they are connected. */
#include "transport/engineio/remember.h"

#include <string.h>

#include "transport/engineio/kept.h"
#include "transport/engineio/plan.h"
#include "transport/engineio/record.h"

/* A value lives for KEPT_LIFETIMES of recovery_ms; a round over all sessions takes two thirds of
 * one, in steps that are short even with 100,000 sessions: writing one takes some microseconds. */
enum { STEPS_MAX = 512, STEP_MIN = 16 /* connections */ };

/* CHANGED_MAX: while the carrier takes nothing, clients come and go; the next rounds write the
 * others. */
enum { WRITTEN_AT_ONCE = 256, BYTES_AT_ONCE = 256 << 10, CHANGED_MAX = 65536 };

/* A session of many rooms is as large as thousands of the messages that change it. So it is written
 * again only after a pause, a tick for each BYTES_PER_TICK of it: at most 32 KB per second. */
enum { BYTES_PER_TICK = 1024, PAUSE_MAX_MS = RECORD_MAX / BYTES_PER_TICK * TIMER_TICK_MS };

/* So much of it may be left when a client waits for a write: a client that enters a hundred rooms
 * one after another does not wait for pauses, because this is 128 KB. */
enum { PAUSE_AHEAD_MS = 2 * PAUSE_MAX_MS };

/* The cost of writing a session, beside that of its bytes: its key is two hashes. */
enum { WRITING_COST = 32 };

/* A socket whose session was written a short time ago. */
struct paused {
    ws_conn_id id;
    uint64_t until_ms;
};

/* A loop's sessions. Sockets with is_changed are in `changed` or in `paused`; some of those listed
 * may have ended. */
struct remembering {
    ws_loop *loop;
    struct loop_call call;
    bool is_posted;
    ws_conn_id *changed; /* to be written, in this order */
    size_t n_written;    /* of these */
    size_t n_changed;    /* with these */
    size_t capacity;
    struct paused *paused;
    size_t n_paused;
    size_t paused_capacity;
    struct timer pause_timer; /* while some are paused */
    struct timer timer;       /* of the next step */
    uint32_t step_ms;
    uint32_t n_steps; /* of a round */
    uint64_t round_ends_ms;
    uint32_t below; /* slots of the round that are left */
    bool has_found; /* a session, in this round */
};

/* --- one session ------------------------------------------------------------------------------ */

static struct kept *kept_of(const struct engineio_session *session)
{
    return session->is_raw ? NULL : session->endpoint->socketio->kept;
}

bool engineio_remembers(const struct engineio_session *session)
{
    return kept_of(session) != NULL && cluster_remembers(session->loop->manager);
}

bool engineio_session_key(const struct engineio_socket *socket, uint8_t key[PID_KEY],
                          uint64_t *rank)
{
    const struct connection *connection = &socket->connection;
    struct kept *kept = kept_of(socket->session);
    char name[TRANSPORT_NAME_SIZE];
    struct pid pid;

    *rank = 0;
    if (socket->is_returned)
        return kept_key_of(kept, connection->id, key, rank);
    name[transport_name(connection, name)] = '\0';
    if (!pid_make(&pid, kept_secret(kept), name, ""))
        return false;
    memcpy(key, pid.key, PID_KEY);
    return true;
}

/* Adds what the client's plan changes. True if the carrier has that record already. */
static bool add_plan(struct engineio_socket *socket, struct buffer *record)
{
    struct engineio_session *session = socket->session;
    struct plan *plan = session->work != NULL ? session->work->plan : NULL;
    bool is_noted;

    if (plan == NULL || record->failed)
        return false;
    if (!plan->is_requested || connection_awaits_command(&socket->connection)) {
        plan_apply(plan, record);
        return !record->failed && plan_is_noted(plan, record);
    }
    is_noted = plan_is_noted(plan, record);
    session->work->plan = NULL;
    plan_free(plan, session->loop);
    engineio_session_trim(session);
    return is_noted;
}

static int hand_over(struct engineio_socket *socket, const char *name, uint64_t rank,
                     const struct buffer *record, uint64_t ttl_ms)
{
    struct engineio_session *session = socket->session;
    /* A session that is too large is forgotten, so that it is not recovered with too few rooms. */
    int result = cluster_remember(session->loop->manager, name, rank,
                                  record->length > RECORD_MAX ? NULL : record, ttl_ms);

    if (result == WS_OK && session->work != NULL && session->work->plan != NULL)
        plan_note(session->work->plan, record);
    return result;
}

static int write_record(struct engineio_socket *socket, struct buffer *record)
{
    const struct engineio_session *session = socket->session;
    ws_manager *manager = session->loop->manager;
    uint64_t ttl_ms =
        (uint64_t)session->endpoint->socketio->options.recovery_ms * KEPT_LIFETIMES;
    char name[PID_KEY_NAME];
    uint8_t key[PID_KEY];
    uint64_t rank;

    if (!engineio_session_key(socket, key, &rank))
        return WS_ERR_NO_MEMORY;
    pid_name_key(key, name);
    if (record == NULL)
        return cluster_remember(manager, name, rank, NULL, ttl_ms);
    if (!record_write(record, manager, socket->connection.id, rank))
        return WS_OK;
    if (!add_plan(socket, record))
        return hand_over(socket, name, rank, record, ttl_ms);
    record->length = 0;
    return WS_OK;
}

/* What is left of the pauses of all writes. The 32 bits of the time wrap: pauses that seem to be
 * longer than the longest are over. */
static uint32_t pauses_left_ms(const struct engineio_socket *socket)
{
    uint32_t left_ms = socket->paused_until_ms - (uint32_t)socket->session->loop->timers.now_ms;

    return left_ms <= PAUSE_AHEAD_MS + PAUSE_MAX_MS ? left_ms : 0;
}

/* A session of so many bytes was handed over. */
static void begin_pause(struct engineio_socket *socket, size_t bytes)
{
    ws_loop *loop = socket->session->loop;
    size_t pause_ms = bytes / BYTES_PER_TICK * TIMER_TICK_MS;

    if (pause_ms > PAUSE_MAX_MS)
        pause_ms = PAUSE_MAX_MS;
    pause_ms += pauses_left_ms(socket);
    if (pause_ms > PAUSE_AHEAD_MS + PAUSE_MAX_MS)
        pause_ms = PAUSE_AHEAD_MS + PAUSE_MAX_MS;
    socket->paused_until_ms = (uint32_t)(loop->timers.now_ms + pause_ms);
    transport_prepared(loop, WRITING_COST + (uint32_t)(bytes / INPUT_BYTES_PER_UNIT));
}

/* Writes a session, and adds its bytes to *sum; false if that is to be tried again. */
static bool write_session(struct engineio_socket *socket, size_t *sum)
{
    struct buffer record;
    int result;

    buffer_init(&record, engineio_session_memory(socket->session));
    result = write_record(socket, &record);
    begin_pause(socket, record.length);
    *sum += record.length;
    buffer_free(&record);
    return result != WS_ERR_BACKPRESSURE && result != WS_ERR_NO_MEMORY;
}

bool engineio_remember_now(struct engineio_socket *socket)
{
    size_t bytes = 0;

    return pauses_left_ms(socket) <= PAUSE_AHEAD_MS && write_session(socket, &bytes);
}

void engineio_forget(struct engineio_socket *socket)
{
    write_record(socket, NULL);
}

void engineio_remember_end(struct engineio_socket *socket, const uint8_t key[PID_KEY],
                           uint64_t rank)
{
    const struct engineio_session *session = socket->session;
    ws_manager *manager = session->loop->manager;
    struct kept *kept = kept_of(session);
    uint8_t excess[PID_KEY];
    char name[PID_KEY_NAME];
    size_t bytes = 0;

    if (socket->is_changed)
        write_session(socket, &bytes);
    if (ws_manager_is_draining(manager)) {
        kept_forget(kept, key, socket->connection.id);
        return;
    }
    kept_end_remembered(kept, key, socket->connection.id, rank, session->loop->clock.host_ms);
    while (kept_take_excess(kept, excess, &rank)) {
        pid_name_key(excess, name);
        cluster_remember(manager, name, rank, NULL, 1);
    }
}

/* --- those that have changed ------------------------------------------------------------------ */

static void post(struct remembering *part)
{
    if (!part->is_posted)
        part->is_posted =
            loop_call_post(part->loop, part->loop->number, &part->call, false) == WS_OK;
}

/* The socket of a connection, if it has a session that is remembered. */
static struct engineio_socket *socket_of(struct connection *connection)
{
    struct engineio_socket *socket = (struct engineio_socket *)connection;

    if (connection == NULL || connection->transport != TRANSPORT_ENGINEIO ||
        socket->session == NULL || socket->space != 0 || !engineio_remembers(socket->session))
        return NULL;
    return socket;
}

/* Writes the sessions that have changed, as many as are written at once. False if the carrier takes
 * no more now. */
static bool write_changed(struct remembering *part)
{
    size_t left = WRITTEN_AT_ONCE;
    size_t bytes = 0;

    for (; part->n_written < part->n_changed && left > 0 && bytes < BYTES_AT_ONCE; left--) {
        ws_conn_id id = part->changed[part->n_written];
        struct engineio_socket *socket =
            socket_of(transport_find(part->loop, id, TRANSPORT_ENGINEIO));

        if (socket != NULL && socket->is_changed && !write_session(socket, &bytes))
            return false;
        if (socket != NULL)
            socket->is_changed = false;
        part->n_written++;
    }
    if (part->n_written == part->n_changed)
        part->n_written = part->n_changed = 0;
    return true;
}

static void write_and_post(struct remembering *part)
{
    if (write_changed(part) && part->n_changed > 0)
        post(part);
}

static void run(ws_loop *loop, struct loop_call *call)
{
    struct remembering *part =
        (struct remembering *)(void *)((char *)call - offsetof(struct remembering, call));

    (void)loop;
    part->is_posted = false;
    write_and_post(part);
}

static void drop(struct loop_call *call)
{
    (void)call; /* it is the part's */
}

static bool add_changed(struct remembering *part, ws_conn_id id)
{
    ws_conn_id *grown;

    if (part->n_written > part->n_changed / 2) {
        part->n_changed -= part->n_written;
        memmove(part->changed, part->changed + part->n_written,
                part->n_changed * sizeof *part->changed);
        part->n_written = 0;
    }
    grown = memory_grow(&part->loop->manager->memory, part->changed, sizeof *grown,
                        part->n_changed, 16, &part->capacity);
    if (grown == NULL)
        return false;
    part->changed = grown;
    part->changed[part->n_changed++] = id;
    return true;
}

/* --- those that were written a short time ago ------------------------------------------------- */

/* Until the session is written when no client waits for it. */
static uint32_t pause_left_ms(const struct engineio_socket *socket)
{
    uint32_t left_ms = pauses_left_ms(socket);

    return left_ms < PAUSE_MAX_MS ? left_ms : PAUSE_MAX_MS;
}

static bool add_paused(struct remembering *part, ws_conn_id id, uint32_t left_ms)
{
    struct timer_wheel *timers = &part->loop->timers;
    struct paused *grown =
        memory_grow(&part->loop->manager->memory, part->paused, sizeof *grown, part->n_paused,
                    16, &part->paused_capacity);

    if (grown == NULL)
        return false;
    part->paused = grown;
    part->paused[part->n_paused++] = (struct paused){id, timers->now_ms + left_ms};
    if (part->pause_timer.link == NULL)
        timer_start(timers, &part->pause_timer, TIMER_TICK_MS);
    return true;
}

/* The next round writes what cannot be noted. */
static void note(struct remembering *part, struct engineio_socket *socket)
{
    ws_conn_id id = socket->connection.id;
    uint32_t left_ms = pause_left_ms(socket);

    if (socket->is_changed || part->n_changed + part->n_paused >= CHANGED_MAX)
        return;
    socket->is_changed = left_ms > 0 ? add_paused(part, id, left_ms) : add_changed(part, id);
}

static void pause_expired(struct timer *timer)
{
    struct remembering *part =
        (struct remembering *)(void *)((char *)timer -
                                       offsetof(struct remembering, pause_timer));
    struct timer_wheel *timers = &part->loop->timers;
    size_t n_left = 0;

    for (size_t i = 0; i < part->n_paused; i++)
        if (part->paused[i].until_ms > timers->now_ms || !add_changed(part, part->paused[i].id))
            part->paused[n_left++] = part->paused[i];
    part->n_paused = n_left;
    if (n_left > 0)
        timer_start(timers, timer, TIMER_TICK_MS);
    if (part->n_changed > 0)
        post(part);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void begin_round(struct remembering *part, uint32_t below)
{
    part->below = below;
    part->has_found = below == 0;
    part->round_ends_ms = part->loop->timers.now_ms + (uint64_t)part->step_ms * part->n_steps;
}

/* The first round begins later: the sessions have just been written. */
static void start_timer(struct remembering *part, uint32_t recovery_ms)
{
    uint32_t round_ms = recovery_ms / 3 * 2;
    uint32_t step_ms = round_ms / STEPS_MAX;
    bool is_running = part->timer.link != NULL;

    if (step_ms < TIMER_TICK_MS)
        step_ms = TIMER_TICK_MS;
    if (is_running && part->step_ms <= step_ms)
        return;
    part->step_ms = step_ms;
    part->n_steps = round_ms / step_ms + 1;
    begin_round(part, 0);
    timer_start(&part->loop->timers, &part->timer, step_ms);
}

/* Goes on with the round, unless the carrier takes no more. False if the step was not completed,
 * because its sessions are large. */
static bool step(struct remembering *part)
{
    enum { AT_ONCE = 4 };
    struct connection *some[AT_ONCE];
    size_t left = transport_count(part->loop) / part->n_steps + STEP_MIN;
    size_t bytes = 0;

    while (part->below > 0 && left > 0 && bytes < BYTES_AT_ONCE) {
        size_t n =
            transport_walk(part->loop, &part->below, some, left < AT_ONCE ? left : AT_ONCE);

        for (size_t i = 0; i < n; i++) {
            struct engineio_socket *socket = socket_of(some[i]);

            if (socket == NULL)
                continue;
            part->has_found = true;
            if (!socket->is_changed && !write_session(socket, &bytes)) {
                note(part, socket);
                return true;
            }
        }
        left -= n;
    }
    return left == 0 || part->below == 0;
}

static void timer_expired(struct timer *timer)
{
    struct remembering *part =
        (struct remembering *)(void *)((char *)timer - offsetof(struct remembering, timer));
    uint64_t now_ms = part->loop->timers.now_ms;
    uint32_t delay_ms = part->step_ms;

    write_and_post(part);
    if (!step(part))
        delay_ms = TIMER_TICK_MS;
    if (part->below == 0 && now_ms >= part->round_ends_ms) {
        if (!part->has_found && part->n_changed + part->n_paused == 0)
            return;
        begin_round(part, UINT32_MAX);
    } else if (part->below == 0 && part->n_changed == 0) {
        delay_ms = (uint32_t)(part->round_ends_ms - now_ms);
    }
    timer_start(&part->loop->timers, &part->timer, delay_ms);
}

/* --- a loop's part ---------------------------------------------------------------------------- */

static void free_part(ws_loop *loop)
{
    struct remembering *part = loop->parts[PART_REMEMBERING];

    if (part == NULL)
        return;
    timer_stop(&part->timer);
    timer_stop(&part->pause_timer);
    memory_free(&loop->manager->memory, part->changed);
    memory_free(&loop->manager->memory, part->paused);
    memory_free(&loop->manager->memory, part);
}

static struct remembering *part_of(ws_loop *loop)
{
    struct remembering *part = loop->parts[PART_REMEMBERING];

    if (part != NULL)
        return part;
    part = memory_zalloc(&loop->manager->memory, sizeof *part);
    if (part == NULL)
        return NULL;
    part->loop = loop;
    part->call = (struct loop_call){run, drop};
    part->timer.kind = TIMER_REMEMBER;
    part->pause_timer.kind = TIMER_REMEMBER_PAUSE;
    loop->timers.expired[TIMER_REMEMBER] = timer_expired;
    loop->timers.expired[TIMER_REMEMBER_PAUSE] = pause_expired;
    loop->parts[PART_REMEMBERING] = part;
    loop->free_part[PART_REMEMBERING] = free_part;
    return part;
}

void engineio_remember(struct engineio_socket *socket)
{
    struct engineio_session *session = socket->session;
    struct remembering *part;

    if (socket_of(&socket->connection) == NULL)
        return;
    part = part_of(session->loop);
    if (part == NULL)
        return; /* the next change tries again */
    note(part, socket);
    if (part->n_changed > 0)
        post(part);
    start_timer(part, session->endpoint->socketio->options.recovery_ms);
}
