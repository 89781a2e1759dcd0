/* connect.c: the public functions about one connection: registering and ending it, its
 * user_data, input from its transport. */
#include <string.h>

#include "base/close_code.h"
#include "base/options.h"
#include "base/utf8.h"
#include "core/clients/disconnect.h"
#include "core/clients/outer_input.h"
#include "core/inbox.h"
#include "core/recovery/recovery.h"
#include "core/sending/send.h"

enum {
    /* The size of ws_transport's first version: the least that a caller may pass. */
    TRANSPORT_FIRST_SIZE = offsetof(ws_transport, close) + sizeof(void (*)(void))
};

void ws_connect_options_init_size(ws_connect_options *options, size_t size)
{
    const ws_connect_options defaults = {
        .size = sizeof defaults,
        .protocol = WS_PROTOCOL_JSON,
        .ping_interval_ms = 25000,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

static bool rooms_valid(const ws_connect_options *options)
{
    if (options->rooms == NULL && options->n_rooms > 0)
        return false;
    for (size_t i = 0; i < options->n_rooms; i++)
        if (!name_text_valid(options->rooms[i]))
            return false;
    return true;
}

static bool options_valid(const ws_connect_options *options)
{
    return options->transport != NULL && options->transport->send != NULL &&
           options->transport->close != NULL &&
           options->transport->size >= TRANSPORT_FIRST_SIZE &&
           (options->user_id == NULL || name_text_valid(options->user_id)) &&
           rooms_valid(options) &&
           (options->protocol == WS_PROTOCOL_JSON || options->protocol == WS_PROTOCOL_RAW);
}

/* Takes a free slot and assigns the connection's id. The lock is held. */
static int take_slot(ws_loop *loop, struct connection *connection)
{
    ws_manager *manager = loop->manager;
    uint32_t *generation = &manager->generations[loop->number];

    manager_assert_locked(manager);
    if (!slots_reserve(&loop->slots, &manager->memory))
        return loop->n_connections == SLOTS_MAX ? WS_ERR_LIMIT : WS_ERR_NO_MEMORY;
    if (++*generation == 0)
        ++*generation;
    connection->id =
        conn_id_make(loop->number, slots_take(&loop->slots, connection), *generation);
    loop->n_connections++;
    atomic_fetch_add(&loop->n_outer, connection->is_inner ? 0 : 1);
    manager->n_connections++;
    return WS_OK;
}

/* The lock is held. */
static int admit(ws_loop *loop)
{
    const ws_manager *manager = loop->manager;
    uint32_t most = manager->options.max_connections;

    manager_assert_locked(manager);
    if (manager->draining)
        return WS_ERR_DRAINING;
    if (most > 0 && manager->n_connections >= most)
        return WS_ERR_LIMIT;
    return loop_reserve(loop, true);
}

static int post_connect(struct posting *posting, struct connection *connection,
                        const ws_connect_options *options, struct recovery *recovery)
{
    ws_loop *loop = connection->loop;
    struct registry *registry = &loop->manager->registry;
    struct share *user = NULL;
    int result = admit(loop);

    if (result != WS_OK)
        return result;
    if (options->user_id != NULL) {
        user = registry_pin(registry, GROUP_USER, options->user_id, loop);
        if (user == NULL)
            return WS_ERR_NO_MEMORY;
    }
    result = take_slot(loop, connection);
    if (result != WS_OK) {
        if (user != NULL)
            registry_unpin(registry, user);
        return result;
    }
    connection->user = user;
    connection->pins = 1;
    connection->state = CONNECTION_PENDING;
    posting_push(posting, loop,
                 &(struct command){.kind = COMMAND_CONNECT,
                                   .ping_interval_ms = options->ping_interval_ms,
                                   .connection = connection,
                                   .share = user,
                                   .recovery = recovery});
    return WS_OK;
}

/* The id is copied under the lock: once it is released, the loop's thread may end and free the
 * connection. */
static int start(struct connection *connection, ws_loop *loop,
                 const ws_connect_options *options, ws_conn_id *id)
{
    struct recovery *recovery;
    struct posting posting;
    int result;

    if (!recovery_new(loop->manager, options, &recovery))
        return WS_ERR_NO_MEMORY;
    connection->loop = loop;
    atomic_init(&connection->user_data, options->user_data);
    connection->protocol = options->protocol & 1;
    posting_begin(&posting, loop->manager);
    result = post_connect(&posting, connection, options, recovery);
    if (result == WS_OK)
        *id = connection->id;
    posting_end(&posting);
    if (result != WS_OK)
        recovery_free(loop->manager, recovery);
    return result;
}

int connection_start(struct connection *connection, ws_loop *loop,
                     const ws_connect_options *options)
{
    struct account before = account_set((struct account){.kind = ACCOUNT_OPENING});
    ws_conn_id id;
    int result;

    connection->is_inner = true;
    result = start(connection, loop, options, &id);
    account_set(before);
    return result;
}

int ws_manager_connect(ws_manager *manager, ws_loop *loop, const ws_connect_options *options,
                       ws_conn_id *connection)
{
    ws_connect_options copy;
    struct outer_connection *made;
    int result;

    ws_connect_options_init(&copy);
    if (manager == NULL || loop == NULL || loop->manager != manager || connection == NULL ||
        !options_copy(&copy, sizeof copy, options) || !options_valid(&copy))
        return WS_ERR_INVALID;
    made = memory_zalloc(&manager->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->transport = copy.transport;
    made->transport_data = copy.transport_data;
    result = start(&made->connection, loop, &copy, connection);
    if (result != WS_OK)
        memory_free(&manager->memory, made);
    return result;
}

int ws_manager_disconnect(ws_manager *manager, ws_conn_id connection, uint16_t code,
                          const char *reason)
{
    struct command command = {.kind = COMMAND_DISCONNECT};
    int result;

    if (manager == NULL || !close_code_valid(code) || !close_reason_valid(reason))
        return WS_ERR_INVALID;
    command.close =
        close_reason_new(&manager->memory, code, reason, reason != NULL ? strlen(reason) : 0);
    if (command.close == NULL)
        return WS_ERR_NO_MEMORY;
    result = send_command(manager, connection, NULL, &command, true);
    if (result != WS_OK)
        memory_free(&manager->memory, command.close);
    return result;
}

int ws_manager_get_user_data(ws_manager *manager, ws_conn_id connection, void **user_data)
{
    struct connection *found;

    if (manager == NULL || user_data == NULL)
        return WS_ERR_INVALID;
    manager_lock(manager);
    found = connection_find(manager, connection);
    if (found != NULL)
        *user_data = atomic_load(&found->user_data);
    manager_unlock(manager);
    return found != NULL ? WS_OK : WS_ERR_NOT_FOUND;
}

int ws_manager_set_user_data(ws_manager *manager, ws_conn_id connection, void *user_data)
{
    struct connection *found;

    if (manager == NULL)
        return WS_ERR_INVALID;
    manager_lock(manager);
    found = connection_find(manager, connection);
    if (found != NULL)
        atomic_store(&found->user_data, user_data);
    manager_unlock(manager);
    return found != NULL ? WS_OK : WS_ERR_NOT_FOUND;
}

size_t ws_manager_connection_count(ws_manager *manager)
{
    size_t count;

    if (manager == NULL)
        return 0;
    manager_lock(manager);
    count = manager->n_connections;
    manager_unlock(manager);
    return count;
}

/* Finds a connection on its loop's thread. Only that thread frees connections, so the pointer
 * stays valid without the lock. */
static struct connection *find_own(ws_manager *manager, ws_conn_id id)
{
    struct connection *connection;

    manager_lock(manager);
    connection = connection_find(manager, id);
    manager_unlock(manager);
    if (connection != NULL)
        loop_assert_thread(connection->loop);
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
    if (found->is_inner)
        return WS_ERR_INVALID;
    result = outer_input_add((struct outer_connection *)found, data, length, is_text != 0);
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
    if (found->is_inner)
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
    if (found != NULL && found->is_inner)
        return WS_ERR_INVALID;
    if (found != NULL)
        connection_transport_gone(found, code, reason);
    else if (loop == NULL || !connection_forget_transport(loop, connection))
        return WS_ERR_NOT_FOUND;
    loop_call_done(loop);
    return WS_OK;
}
