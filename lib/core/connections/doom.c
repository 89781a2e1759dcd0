/* doom.c: ends the connection of a client that is too slow or too fast, or for which memory ran
 * out. */
#include "core/connections/doom.h"

#include "core/costs.h"

uint16_t doom_code(enum doom doom)
{
    return doom == DOOM_TOO_FAST ? WS_CLOSE_POLICY_VIOLATION : WS_CLOSE_TRY_AGAIN_LATER;
}

const char *doom_reason(enum doom doom)
{
    static const char *const reasons[] = {
        [DOOM_NONE] = "",
        [DOOM_TOO_SLOW] = "the client reads too slowly; its queue is full",
        [DOOM_OUT_OF_MEMORY] = "out of memory",
        [DOOM_TOO_FAST] = "too many messages; send more slowly",
    };

    return reasons[doom];
}

/* The lines are limited, because clients that read nothing or send too much can reconnect at
 * any rate. */
static void log_doom(const struct connection *connection, enum doom doom)
{
    ws_loop *loop = connection->loop;
    uint32_t n_left_out;

    if (!log_limit_take(&loop->logged_ends, loop->timers.now_ms, &n_left_out))
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
    loop_charge(loop, close_cost(loop->manager, connection->rooms.count));
}

void connection_out_of_memory(struct connection *connection)
{
    counter_add(&connection->loop->counters, COUNTER_drop_no_memory, 1);
    connection_doom(connection, DOOM_OUT_OF_MEMORY);
}
