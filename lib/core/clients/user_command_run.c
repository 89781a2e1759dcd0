/* user_command_run.c: carries out commands for all connections of a user, on a loop's thread. */
#include "core/clients/user_command_run.h"

#include "core/clients/builtin_messages.h"
#include "core/clients/disconnect.h"
#include "core/clients/replies.h"
#include "core/connections/delivery.h"
#include "core/connections/doom.h"
#include "core/costs.h"
#include "core/rooms/membership.h"
#include "core/rooms/rooms.h"
#include "core/sending/send.h"
#include "core/sending/user_command.h"

/* What the application requested while it was asked, once for all rooms: behind what was posted
 * meanwhile, which may be a join. */
static void post_another(struct connection *connection, uint32_t n_before)
{
    struct command command = {.kind = COMMAND_REAUTHORIZE, .n_before = n_before};

    if (connection->state == CONNECTION_LIVE &&
        send_own_command(connection, NULL, &command) != WS_OK)
        connection_out_of_memory(connection);
}

/* It starts with the last room, because removing a room gives its number to the last one.
 * Between two turns the client may enter rooms that it named when it connected, which are
 * authorized then. */
bool connection_reauthorize(struct connection *connection, uint32_t n_before, uint32_t *budget)
{
    struct reauthorization *asked = &connection->loop->reauthorization;

    if (!asked->running)
        *asked = (struct reauthorization){.connection = connection->id,
                                          .left = connection->rooms.count,
                                          .n_before = n_before,
                                          .running = true};
    while (asked->left > 0 && connection->state == CONNECTION_LIVE) {
        if (*budget == 0)
            return false;
        budget_spend(budget, room_cost(connection->loop->manager));
        client_reauthorize(connection, --asked->left);
        budget_spend(budget, loop_take_preparing(connection->loop));
    }
    asked->running = false;
    if (asked->again)
        post_another(connection, asked->n_before + 1);
    return true;
}

static void disconnect(struct connection *connection, const struct user_command *what,
                       uint32_t *budget)
{
    budget_spend(budget, close_cost(connection->loop->manager, connection->rooms.count));
    connection_end(connection, what->code, what->text);
}

static void join(struct connection *connection, struct share *room, uint32_t *budget)
{
    int result;

    budget_spend(budget, COMMAND_COST);
    if (connection->state != CONNECTION_LIVE)
        return;
    result = membership_enter(connection, room);
    if (result == WS_ERR_ALREADY)
        return;
    room_joined(connection, room->group->name, result);
    budget_spend(budget, loop_take_preparing(connection->loop));
}

/* The room's share stays pinned so that its name is valid whatever the callback does. */
static void leave(struct connection *connection, const char *name, uint32_t *budget)
{
    static const struct json_slice no_ref = {NULL, 0};
    struct share *room = room_pin_existing(connection, name);

    budget_spend(budget, COMMAND_COST);
    if (room != NULL && connection->state == CONNECTION_LIVE &&
        membership_leave(connection, room) == WS_OK) {
        reply_with_room(connection, "room_left", no_ref, name);
        room_left(connection, name, WS_OK);
        budget_spend(budget, loop_take_preparing(connection->loop));
    }
    room_unpin(connection, room);
}

/* False if the budget was spent before the end. */
static bool apply(struct connection *connection, struct command *command, uint32_t *budget)
{
    const struct user_command *what = command->user;

    switch ((enum user_action)what->action) {
    case USER_DISCONNECT:
        disconnect(connection, what, budget);
        break;
    case USER_JOIN_ROOM:
        join(connection, command->share, budget);
        break;
    case USER_LEAVE_ROOM:
        leave(connection, what->text, budget);
        break;
    case USER_REAUTHORIZE:
        return connection_reauthorize(connection, 0, budget);
    case N_USER_ACTIONS:
        break;
    }
    return true;
}

/* The user's share on this loop; NULL if there is none, or the command is for everyone. */
static struct share *user_share(ws_loop *loop, const struct command *command)
{
    ws_manager *manager = loop->manager;
    const struct user_command *what = command->user;
    struct share *share = command->share;

    if (what->action != USER_JOIN_ROOM)
        return share;
    manager_lock(manager);
    share = registry_find_share(&manager->registry, GROUP_USER, what->user_id, loop);
    manager_unlock(manager);
    return share;
}

/* The connection whose reauthorization was interrupted, if it has not ended. */
static struct connection *interrupted(ws_loop *loop)
{
    struct reauthorization *asked = &loop->reauthorization;
    struct connection *connection;

    if (!asked->running)
        return NULL;
    manager_lock(loop->manager);
    connection = connection_find(loop->manager, asked->connection);
    manager_unlock(loop->manager);
    if (connection == NULL)
        asked->running = false;
    return connection;
}

/* The next connection of the walk; NULL at its end. It is taken off before anything is done
 * with it, because any connection may end meanwhile (membership.c). */
static struct connection *next_connection(ws_loop *loop, struct share *share, bool is_everyone)
{
    struct delivery *walk = &loop->delivery;
    struct connection *connection = interrupted(loop);

    if (connection != NULL || walk->left == 0)
        return connection;
    if (is_everyone)
        return everyone_below(loop, &walk->left, &connection, 1) > 0 ? connection : NULL;
    return share_members(share)[--walk->left];
}

bool user_command_run(ws_loop *loop, struct command *command, uint32_t *budget)
{
    struct delivery *walk = &loop->delivery;
    bool is_everyone = command->user->user_id[0] == '\0';
    struct connection *connection;

    loop_assert_thread(loop);
    if (!walk->running) {
        struct share *share = user_share(loop, command);
        uint32_t members = share != NULL ? share->count : 0;

        *walk = (struct delivery){share, is_everyone ? SLOTS_MAX : members, true};
    }
    while (*budget > 0) {
        connection = next_connection(loop, walk->share, is_everyone);
        if (connection == NULL) {
            *walk = (struct delivery){0};
            return true;
        }
        budget_spend(budget, 1);
        if (!apply(connection, command, budget))
            return false;
    }
    return false;
}
