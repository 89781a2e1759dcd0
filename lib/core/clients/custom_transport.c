/* custom_transport.c: the functions that an application's own transport calls: a message has come,
 * there is room for output, the client has gone. */
#include <ws_manager/transport.h>

#include "core/checks.h"
#include "core/clients/custom_input.h"
#include "core/clients/disconnect.h"
#include "core/recovery/recovery.h"

/* Finds a connection on its loop's thread. Only that thread frees connections, so the pointer
 * stays valid without the lock. */
static struct connection *find_own(ws_manager *manager, ws_conn_id id)
{
    struct connection *connection;

    manager_lock(manager);
    connection = connection_find(manager, id);
    manager_unlock(manager);
    return connection;
}

int ws_manager_receive(ws_manager *manager, ws_conn_id connection, const void *data,
                       size_t length, int is_text)
{
    struct connection *found;
    int result;

    if (manager == NULL || (data == NULL && length > 0))
        return WS_ERR_INVALID;
    if (length > MESSAGE_MAX_BYTES)
        return WS_ERR_TOO_BIG;
    found = find_own(manager, connection);
    if (found == NULL)
        return WS_ERR_NOT_FOUND;
    if (!checks_loop(found->loop, __func__))
        return WS_ERR_MISUSE;
    if (found->transport != TRANSPORT_CUSTOM)
        return WS_ERR_INVALID;
    result = custom_input_add((struct custom_connection *)found, data, length, is_text != 0);
    loop_call_done(found->loop);
    return result;
}

int ws_manager_transport_writable(ws_manager *manager, ws_conn_id connection)
{
    struct connection *found;
    ws_loop *loop;

    if (manager == NULL)
        return WS_ERR_INVALID;
    found = find_own(manager, connection);
    if (found == NULL)
        return WS_ERR_NOT_FOUND;
    if (!checks_loop(found->loop, __func__))
        return WS_ERR_MISUSE;
    if (found->transport != TRANSPORT_CUSTOM)
        return WS_ERR_INVALID;
    loop = found->loop;
    loop_busy(loop);
    recovery_writable(found);
    loop_idle(loop);
    loop_call_done(loop);
    return WS_OK;
}

int ws_manager_transport_closed(ws_manager *manager, ws_conn_id connection, uint16_t code,
                                const char *reason)
{
    struct connection *found;
    ws_loop *loop;

    if (manager == NULL)
        return WS_ERR_INVALID;
    manager_lock(manager);
    loop = manager->loops[conn_id_loop(connection)];
    found = connection_find(manager, connection);
    manager_unlock(manager);
    if (loop != NULL && !checks_loop(loop, __func__))
        return WS_ERR_MISUSE;
    if (found != NULL && found->transport != TRANSPORT_CUSTOM)
        return WS_ERR_INVALID;
    if (found != NULL)
        connection_transport_gone(found, code, reason);
    else if (loop == NULL || !connection_forget_transport(loop, connection))
        return WS_ERR_NOT_FOUND;
    loop_call_done(loop);
    return WS_OK;
}
