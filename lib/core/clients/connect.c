/* connect.c: registers connections; makes them live on their loop and calls on_connect; their
 * number and their user_data. Not here: the end of a
 * connection (disconnect.c) and what its transport reports (custom_transport.c). */
#include "core/clients/connect.h"

#include <string.h>

#include "base/options.h"
#include "base/utf8.h"
#include "core/clients/disconnect.h"
#include "core/clients/former.h"
#include "core/clients/named_rooms.h"
#include "core/clients/notes.h"
#include "core/clients/replies.h"
#include "core/connections/doom.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/kept/kept_returns.h"
#include "core/presence/announce.h"
#include "core/recovery/recovery.h"
#include "core/rooms/membership.h"

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
           rooms_valid(options) && (options->with_state == 0 || options->with_state == 1) &&
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
    atomic_fetch_add(&loop->n_custom, connection->transport == TRANSPORT_CUSTOM ? 1 : 0);
    manager->n_connections++;
    return WS_OK;
}

/* Admits a connection whose commands are `n`. The lock is held. */
static int admit(ws_loop *loop, size_t n)
{
    const ws_manager *manager = loop->manager;
    uint32_t most = manager->options.max_connections;

    manager_assert_locked(manager);
    if (manager->draining)
        return WS_ERR_DRAINING;
    if (most > 0 && manager->n_connections >= most)
        return WS_ERR_LIMIT;
    return loop_reserve_n(loop, n, true);
}

static int post_connect(struct posting *posting, struct connection *connection,
                        const ws_connect_options *options, struct recovery *recovery,
                        struct former *former)
{
    ws_loop *loop = connection->loop;
    struct registry *registry = &loop->manager->registry;
    struct share *user = NULL;
    int result = admit(loop, former != NULL ? 2 : 1);

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
    if (former != NULL)
        posting_push(posting, loop,
                     &(struct command){.kind = COMMAND_CALL,
                                       .call = former_call(former, connection->id)});
    posting_push(posting, loop,
                 &(struct command){.kind = COMMAND_CONNECT,
                                   .ping_interval_ms = options->ping_interval_ms,
                                   .connection = connection,
                                   .share = user,
                                   .recovery = recovery});
    return WS_OK;
}

/* The connection of this process from which the client comes back; 0: none. */
static ws_conn_id former_of(const ws_manager *manager, const ws_connect_options *options)
{
    bool is_foreign = false;
    ws_conn_id id = 0;

    if (options->former_connection_id != NULL)
        id = message_exclusion(manager->process, options->former_connection_id, &is_foreign);
    return is_foreign ? 0 : id;
}

/* If the client's former connection has not ended, what that has sent may still be carried out. */
static bool hold_former(ws_manager *manager, ws_conn_id id, const char *user_id)
{
    const struct connection *former;
    bool result = true;

    manager_lock(manager);
    former = connection_find(manager, id);
    if (former != NULL && former->user != NULL &&
        strcmp(former->user->group->name, user_id) == 0)
        result = kept_answers_hold(&manager->kept_answers, id, user_id);
    manager_unlock(manager);
    return result;
}

/* False if memory ran out. */
static bool prepare_return(ws_manager *manager, const ws_connect_options *options,
                           struct kept_member **member)
{
    ws_conn_id former = former_of(manager, options);

    if (former != 0 && options->user_id != NULL &&
        !hold_former(manager, former, options->user_id)) {
        *member = NULL;
        return false;
    }
    return kept_answers_prepare(&manager->kept_answers, former, options->user_id, member);
}

/* What is known of the client from before; each may be NULL. */
struct past {
    struct kept_member *member;
    struct former *former;
    struct recovery *recovery;
};

static void free_past(ws_manager *manager, const struct past *past)
{
    kept_answers_drop(&manager->kept_answers, past->member);
    former_free(past->former);
    recovery_free(manager, past->recovery);
}

static bool find_past(ws_manager *manager, const ws_connect_options *options, struct past *past)
{
    *past = (struct past){.member = NULL};
    if (prepare_return(manager, options, &past->member) &&
        former_new(manager, options, &past->former) &&
        recovery_new(manager, options, &past->recovery))
        return true;
    free_past(manager, past);
    return false;
}

/* The id is copied under the lock: once it is released, the loop's thread may end and free the
 * connection. */
static int start(struct connection *connection, ws_loop *loop,
                 const ws_connect_options *options, ws_conn_id *id)
{
    ws_manager *manager = loop->manager;
    struct posting posting;
    struct past past;
    int result;

    if (!find_past(manager, options, &past))
        return WS_ERR_NO_MEMORY;
    connection->loop = loop;
    atomic_init(&connection->user_data, options->user_data);
    connection->protocol = options->protocol & 3;
    posting_begin(&posting, manager);
    result = post_connect(&posting, connection, options, past.recovery, past.former);
    if (result == WS_OK) {
        *id = connection->id;
        /* Before the loop can process what the client sends. */
        kept_answers_adopt(&manager->kept_answers, past.member, connection->id);
    }
    posting_end(&posting);
    if (result != WS_OK)
        free_past(manager, &past);
    else if (past.member != NULL)
        client_note(manager, *id);
    return result;
}

int connection_start(struct connection *connection, ws_loop *loop,
                     const ws_connect_options *options)
{
    struct account before = account_set((struct account){.kind = ACCOUNT_OPENING});
    ws_conn_id id;
    int result;

    result = start(connection, loop, options, &id);
    account_set(before);
    return result;
}

int ws_manager_connect(ws_manager *manager, ws_loop *loop, const ws_connect_options *options,
                       ws_conn_id *connection)
{
    ws_connect_options copy;
    struct custom_connection *made;
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

/* --- on the loop's thread ------------------------------------------------------------------- */

static void announce(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (connection->state == CONNECTION_GONE)
        return;
    connection->announced = true;
    if (options->on_connect != NULL)
        options->on_connect(manager, connection_view(connection, &view), options->user_data);
}

void client_connect(struct connection *connection, struct command *command, uint32_t *budget)
{
    ws_loop *loop = connection->loop;
    struct connection_view view;
    bool is_news;
    int result;

    if (connection->state != CONNECTION_PENDING)
        return;
    if (connection->doom != DOOM_NONE) {
        connection_end(connection, doom_code(connection->doom), doom_reason(connection->doom));
        return;
    }
    result = membership_begin(connection, &is_news);
    if (result != WS_OK) {
        connection_end(connection, WS_CLOSE_TRY_AGAIN_LATER,
                       result == WS_ERR_LIMIT ? "too many users" : "out of memory");
        return;
    }
    counter_add(&loop->counters, COUNTER_connections_opened, 1);
    if (connection->protocol != WS_PROTOCOL_RAW) {
        connection_view(connection, &view);
        if (is_news)
            announce_user(loop, USER_CAME, view.info.id, view.info.user_id);
        if (command->recovery != NULL)
            recovery_begin(connection, command->recovery);
        command->recovery = NULL;
        /* A client of Socket.IO has received its answer from its transport. */
        if (connection->protocol == WS_PROTOCOL_JSON)
            client_welcome(connection, command->ping_interval_ms);
    }
    budget_spend(budget, connect_cost(loop->manager));
    announce(connection);
    budget_spend(budget, named_rooms_begin(connection));
}
