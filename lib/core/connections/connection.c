/* connection.c: finds a connection, copies what callbacks see of it, logs its end. */
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

const char *connection_space(const struct connection *connection)
{
    const struct builtin_transport *transport =
        manager_builtin(connection->loop->manager, connection->transport);

    return transport != NULL && transport->name_space != NULL
               ? transport->name_space(connection)
               : NULL;
}

void connection_close_transport(struct connection *connection, uint16_t code,
                                const char *reason)
{
    const struct custom_connection *custom = (const struct custom_connection *)connection;
    size_t length = reason != NULL ? strlen(reason) : 0;

    if (connection->transport_gone || loop_is_parents(connection->loop))
        return;
    if (connection->transport == TRANSPORT_CUSTOM)
        custom->transport->close(code, reason, length, custom->transport_data);
    else
        manager_builtin(connection->loop->manager, connection->transport)
            ->close(connection, code, reason, length);
}
