/* connection.c: a registered connection and delivery to it. */
#include "core/connections/connection.h"

#include <assert.h>
#include <string.h>

const ws_connection_info *connection_view(const struct connection *connection,
                                          struct connection_view *view)
{
    view->info = (ws_connection_info){
        .size = sizeof view->info,
        .id = connection->id,
        .user_data = atomic_load(&connection->user_data),
    };
    if (connection->user != NULL) {
        const struct group *user = connection->user->group;

        memcpy(view->user_id, user->name, user->name_length + 1);
        view->info.user_id = view->user_id;
    }
    return &view->info;
}

static_assert(MANAGER_MAX_LOOPS == 1 << CONN_ID_LOOP_BITS,
              "every loop number of an id is an index of the loops");
static_assert(SLOTS_MAX == 1 << CONN_ID_SLOT_BITS, "an id has room for every slot's number");

struct connection *connection_find(ws_manager *manager, ws_conn_id id)
{
    const ws_loop *loop = manager->loops[conn_id_loop(id)];
    struct connection *connection;

    manager_assert_locked(manager);
    if (loop == NULL)
        return NULL;
    connection = slots_find(&loop->slots, conn_id_slot(id));
    return connection != NULL && connection->id == id ? connection : NULL;
}

void connection_log_end(const struct connection *connection, int level, uint16_t code,
                        const char *reason)
{
    const ws_manager *manager = connection->loop->manager;
    char name[CONNECTION_NAME_SIZE];

    if (manager->options.log == NULL)
        return;
    connection_name_write(manager->process, connection->id, name);
    manager_log(manager, level, "connection %s ended: %u %s", name, code,
                reason != NULL ? reason : "");
}

/* --- dooming a connection ----------------------------------------------------------------- */

uint16_t doom_code(enum doom doom)
{
    return doom == DOOM_TOO_FAST ? WS_CLOSE_POLICY_VIOLATION : WS_CLOSE_TRY_AGAIN_LATER;
}

const char *doom_reason(enum doom doom)
{
    static const char *const reasons[] = {
        [DOOM_NONE] = "",
        [DOOM_TOO_SLOW] = "too slow",
        [DOOM_OUT_OF_MEMORY] = "out of memory",
        [DOOM_TOO_FAST] = "too many messages",
    };

    return reasons[doom];
}

/* The lines are limited, because clients that read nothing or send too much can reconnect at
 * any rate. */
static void log_doom(const struct connection *connection, enum doom doom)
{
    ws_loop *loop = connection->loop;
    uint32_t n_left_out;

    if (!log_share_take(&loop->logged_ends, loop->timers.now_ms, &n_left_out))
        return;
    if (n_left_out > 0)
        manager_log(loop->manager, WS_LOG_WARN,
                    "%u more connections were ended in the meantime", n_left_out);
    connection_log_end(connection, WS_LOG_WARN, doom_code(doom), doom_reason(doom));
}

void connection_doom(struct connection *connection, enum doom doom)
{
    ws_loop *loop = connection->loop;

    loop_assert_thread(connection->loop);
    if (connection->state == CONNECTION_GONE || connection->doom != DOOM_NONE)
        return;
    if (connection->recovering)
        connection->loop->cancel_recovery(connection);
    log_doom(connection, doom);
    connection->doom = doom & 3;
    /* A pending connection is ended by its CONNECT command. */
    if (connection->state == CONNECTION_PENDING)
        return;
    connection->state = CONNECTION_DOOMED;
    connection->on_doomed_list = true;
    connection->next = loop->doomed;
    loop->doomed = connection;
}

void connection_out_of_memory(struct connection *connection)
{
    counter_add(&connection->loop->counters, COUNTER_drop_no_memory, 1);
    connection_doom(connection, DOOM_OUT_OF_MEMORY);
}

/* --- its transport ------------------------------------------------------------------------ */

void connection_close_transport(struct connection *connection, uint16_t code,
                                const char *reason)
{
    const struct outer_connection *outer = (const struct outer_connection *)connection;
    size_t length = reason != NULL ? strlen(reason) : 0;

    if (connection->transport_gone || loop_is_parents(connection->loop))
        return;
    if (connection->is_inner)
        manager_inner(connection->loop->manager)->close(connection, code, reason, length);
    else
        outer->transport->close(code, reason, length, outer->transport_data);
}
