/* builtin_messages.c: takes the messages of clients: carries out the built-in ones, such as
 * join_room, and answers them. */
#include "core/clients/builtin_messages.h"

#include <string.h>

#include "base/utf8.h"
#include "core/clients/application_messages.h"
#include "core/clients/input.h"
#include "core/clients/presence.h"
#include "core/clients/rate_limit.h"
#include "core/clients/replies.h"
#include "core/connections/doom.h"
#include "core/rooms/membership.h"
#include "core/rooms/rooms.h"
#include "core/sending/send.h"
#include "protocol/json/client_message.h"

static int authorize(struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->authorize_join == NULL)
        return WS_OK;
    return options->authorize_join(manager, connection_view(connection, &view), room,
                                   manager->options.user_data) == WS_OK
               ? WS_OK
               : WS_ERR_FORBIDDEN;
}

/* Adds the client to a room. It receives the answer, the room's members if it is to watch them,
 * and what the room has kept, and then what comes live. The answer is sent before on_join is
 * called, so that it precedes what the application sends there. The right to watch may have been
 * taken away since the client asked: the application is asked again, before anything is sent. */
static void enter_room(struct connection *connection, struct share *share,
                       struct json_slice ref, const struct room_wish *wish, bool is_watching)
{
    const char *room = share->group->name;
    struct entry entry;
    int result;

    is_watching = is_watching && client_may_see(connection, room) == WS_OK;
    if (connection->state != CONNECTION_LIVE)
        return;
    result = membership_enter(connection, share);
    if (result != WS_OK && result != WS_ERR_ALREADY) {
        reply_with_result(connection, ref, result);
    } else if (!entry_collect(connection, room, wish, &entry)) {
        connection_out_of_memory(connection);
    } else {
        reply_with_entry(connection, "room_joined", ref, room, &entry.answer);
        if (is_watching)
            client_begin_watching(connection, room);
        entry_deliver(connection, &entry);
    }
    room_joined(connection, room, result);
}

/* A client of Socket.IO does not name its rooms: it learns which of them it is no longer in. */
static void refuse_former_room(struct connection *connection, const char *room,
                               struct json_slice ref, int result)
{
    static const struct json_slice no_ref = {NULL, 0};

    if (connection_space(connection) == NULL || result == WS_ERR_NO_MEMORY)
        reply_with_result(connection, ref, result);
    else
        reply_with_room(connection, "room_left", no_ref, room);
}

/* Delivers what a room keeps to a client that has entered it. If another thread may have taken the
 * right away since manager->n_reauthorized was `before`, what was collected may be newer than
 * that, so the application is asked again. False if it refuses, and the client has left. */
static bool give_former_room(struct connection *connection, struct share *share,
                             const struct room_wish *wish, uint64_t before)
{
    const char *room = share->group->name;
    struct entry entry;

    if (!entry_collect(connection, room, wish, &entry)) {
        connection_out_of_memory(connection);
        return true;
    }
    if (atomic_load(&connection->loop->manager->n_reauthorized) != before &&
        authorize(connection, room) != WS_OK && connection->state == CONNECTION_LIVE) {
        membership_leave(connection, share);
        entry_free(connection, &entry);
        return false;
    }
    entry_deliver(connection, &entry);
    return true;
}

static void enter_former_room(struct connection *connection, struct share *share,
                              const struct room_wish *wish, struct json_slice ref,
                              uint64_t before)
{
    const char *room = share->group->name;
    int result = membership_enter(connection, share);
    bool is_in = result == WS_OK || result == WS_ERR_ALREADY;

    if (is_in && !give_former_room(connection, share, wish, before)) {
        refuse_former_room(connection, room, ref, WS_ERR_FORBIDDEN);
        if (result == WS_ERR_ALREADY)
            room_left(connection, room, WS_OK);
        return;
    }
    if (!is_in)
        refuse_former_room(connection, room, ref, result);
    room_joined(connection, room, result);
}

static void join_former_room(struct connection *connection, const char *room,
                             const struct room_wish *wish, struct json_slice ref)
{
    uint64_t before = atomic_load(&connection->loop->manager->n_reauthorized);
    struct share *share;
    int result = authorize(connection, room);

    if (connection->state != CONNECTION_LIVE)
        return;
    if (result != WS_OK) {
        refuse_former_room(connection, room, ref, result);
        return;
    }
    share = room_pin(connection, room);
    if (share == NULL) {
        connection_out_of_memory(connection);
        return;
    }
    enter_former_room(connection, share, wish, ref, before);
    room_unpin(connection, share);
}

void client_join(struct connection *connection, const char *room, const struct room_wish *wish)
{
    static const struct answer_problem bad_name = {ANSWER_BAD_REQUEST, "not a valid room name"};
    struct buffer quoted;

    if (connection->state != CONNECTION_LIVE)
        return;
    buffer_init(&quoted, &connection->loop->manager->memory);
    buffer_add_json_string_or_null(&quoted, room);
    if (quoted.failed)
        connection_out_of_memory(connection);
    else if (!name_text_valid(room))
        reply_with_problem(connection, (struct json_slice){quoted.data, quoted.length},
                           bad_name);
    else
        join_former_room(connection, room, wish,
                         (struct json_slice){quoted.data, quoted.length});
    buffer_free(&quoted);
}

static_assert((int)CLIENT_SINCE_SIZE == (int)EVENT_ID_SIZE, "an id has room");

static struct room_wish wish_of(const struct client_message *message)
{
    struct room_wish wish = {.state = message->state, .last = message->last};

    memcpy(wish.since, message->since, sizeof wish.since);
    return wish;
}

static struct json_slice ref_of(const char *ref)
{
    return (struct json_slice){ref, ref != NULL ? strlen(ref) : 0};
}

/* What is kept of a request to join until it is carried out; *join is NULL if there is nothing.
 * False if memory ran out. */
static bool keep_join(const ws_allocator *memory, const struct client_message *message,
                      struct client_join **join)
{
    *join = NULL;
    if (message->ref.text == NULL && !message->state && message->last == 0)
        return true;
    *join = memory_zalloc(memory, sizeof **join + message->ref.length + 1);
    if (*join == NULL)
        return false;
    (*join)->wish = wish_of(message);
    if (message->ref.text != NULL)
        memcpy((*join)->ref, message->ref.text, message->ref.length);
    return true;
}

static bool keep_ref(const ws_allocator *memory, const struct client_message *message,
                     char **ref)
{
    *ref = NULL;
    if (message->ref.text != NULL)
        *ref = memory_copy_text(memory, message->ref.text, message->ref.length);
    return message->ref.text == NULL || *ref != NULL;
}

static void settle_request(struct connection *connection, struct command *command, int result)
{
    const ws_allocator *memory = &connection->loop->manager->memory;

    if (result == WS_OK) {
        connection->awaits_room = true;
        return;
    }
    memory_free(memory,
                command->kind == COMMAND_CLIENT_LEAVE ? command->ref : (void *)command->join);
    connection_out_of_memory(connection);
}

/* Posts a client's leave, so that it is ordered with the events, and so is request_join(): the
 * room's earlier events are delivered by the old membership, the later ones by the new one.
 * Nothing else from the client is processed until then. */
static void request_leave(struct connection *connection, const struct client_message *message)
{
    struct command command = {.kind = COMMAND_CLIENT_LEAVE};
    int result = WS_ERR_NO_MEMORY;

    if (keep_ref(&connection->loop->manager->memory, message, &command.ref))
        result = send_own_command(connection, message->room, &command);
    settle_request(connection, &command, result);
}

static void post_join(struct connection *connection, const struct client_message *message,
                      uint64_t n_reauthorized, bool *is_stale)
{
    const ws_allocator *memory = &connection->loop->manager->memory;
    struct command command = {.kind = message->presence ? COMMAND_CLIENT_JOIN_WATCHING
                                                        : COMMAND_CLIENT_JOIN};
    int result = WS_ERR_NO_MEMORY;

    *is_stale = false;
    if (keep_join(memory, message, &command.join))
        result =
            send_own_command_if(connection, message->room, &command, n_reauthorized, is_stale);
    if (*is_stale)
        memory_free(memory, command.join);
    else
        settle_request(connection, &command, result);
}

static int authorize_request(struct connection *connection,
                             const struct client_message *message)
{
    int result = authorize(connection, message->room);

    if (result == WS_OK && message->presence)
        result = client_may_see(connection, message->room);
    return result;
}

static uint32_t cost_of_asking(const ws_manager_options *options,
                               const struct client_message *message)
{
    return callback_cost(options->authorize_join != NULL) +
           callback_cost(message->presence && options->authorize_presence != NULL);
}

/* While the application was asked, another thread may have taken the right away and called
 * ws_manager_reauthorize(), or a command for the user may have done so: a join after that would
 * not be checked, or only after the client has received the kept events of the room. So the
 * application is asked again. Returns the cost of the request. */
static uint32_t request_join(struct connection *connection,
                             const struct client_message *message)
{
    ws_manager *manager = connection->loop->manager;
    struct room_wish wish = wish_of(message);
    bool is_stale = true;
    uint32_t cost = 0;

    for (int n_left = AUTHORIZED_AT_MOST; is_stale && n_left > 0; n_left--) {
        uint64_t before = atomic_load(&manager->n_reauthorized);
        int result = authorize_request(connection, message);

        if (n_left < AUTHORIZED_AT_MOST)
            cost += cost_of_asking(&manager->options, message);
        if (connection->state != CONNECTION_LIVE)
            return cost;
        if (result != WS_OK) {
            reply_with_result(connection, message->ref, result);
            return cost;
        }
        post_join(connection, message, before, &is_stale);
    }
    if (is_stale) {
        reply_with_result(connection, message->ref, WS_ERR_FORBIDDEN);
        return cost;
    }
    return cost + entry_cost(connection, message->room, &wish);
}

void client_enter_room(struct connection *connection, struct share *share,
                       const struct client_join *join, bool is_watching)
{
    static const struct room_wish nothing = {.state = false};
    const char *ref = join != NULL && join->ref[0] != '\0' ? join->ref : NULL;

    connection->awaits_room = false;
    if (connection->state == CONNECTION_LIVE)
        enter_room(connection, share, ref_of(ref), join != NULL ? &join->wish : &nothing,
                   is_watching);
}

void client_leave_room(struct connection *connection, struct share *share, const char *ref)
{
    const char *room = share->group->name;
    int result;

    connection->awaits_room = false;
    if (connection->state != CONNECTION_LIVE)
        return;
    result = membership_leave(connection, share);
    if (result == WS_OK)
        reply_with_room(connection, "room_left", ref_of(ref), room);
    else
        reply_with_result(connection, ref_of(ref), result);
    room_left(connection, room, result);
}

/* If the application reauthorizes the connection whenever it is asked, that ends with a refusal. */
static int authorize_again(struct connection *connection, const struct group *group)
{
    struct reauthorization *asked = &connection->loop->reauthorization;
    int result;

    asked->is_asking = true;
    result = group->kind == GROUP_WATCHERS ? client_may_see(connection, group->name)
                                           : authorize(connection, group->name);
    asked->is_asking = false;
    if (!asked->again || asked->n_before < AUTHORIZED_AT_MOST - 1)
        return result;
    asked->again = false;
    return WS_ERR_FORBIDDEN;
}

static void leave_refused(struct connection *connection, struct share *share)
{
    static const struct json_slice no_ref = {NULL, 0};
    const char *room = share->group->name;
    int result = membership_leave(connection, share);

    if (result == WS_OK)
        reply_with_room(connection, "room_left", no_ref, room);
    room_left(connection, room, result);
}

void client_reauthorize(struct connection *connection, uint32_t at)
{
    struct share *share;
    const char *room;

    if (at >= connection->rooms.count) /* it has left a room together with its presence */
        return;
    share = rooms_share(&connection->rooms, at);
    room = share->group->name;
    /* Pinned so that the name stays valid whatever the callbacks do. */
    room_pin_share(connection, share);
    if (authorize_again(connection, share->group) != WS_OK &&
        connection->state == CONNECTION_LIVE) {
        if (share->group->kind == GROUP_WATCHERS)
            membership_unwatch(connection, room);
        else
            leave_refused(connection, share);
    }
    room_unpin(connection, share);
}

static void handle_authenticate(struct connection *connection,
                                const struct client_message *message)
{
    static const struct answer_problem unknown = {ANSWER_UNKNOWN_TYPE,
                                                  "this server does not use tokens"};
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;
    int result;

    if (options->authenticate == NULL) {
        reply_with_problem(connection, message->ref, unknown);
        return;
    }
    result = options->authenticate(manager, connection_view(connection, &view), message->token,
                                   options->user_data);
    if (result == WS_OK && connection->state != CONNECTION_GONE)
        reply_with_id(connection, "authenticated", message->ref);
    else
        reply_with_result(connection, message->ref, result);
}

/* Returns what it cost beside cost_of_request(). */
static uint32_t handle_request(struct connection *connection,
                               const struct client_message *message)
{
    switch (message->type) {
    case CLIENT_JOIN_ROOM:
        return request_join(connection, message);
    case CLIENT_LEAVE_ROOM:
        request_leave(connection, message);
        break;
    case CLIENT_PING:
        reply_with_id(connection, "pong", message->ref);
        break;
    case CLIENT_MESSAGE:
    case CLIENT_OWN:
    case CLIENT_REQUEST:
        client_take(connection, message);
        break;
    case CLIENT_RESPONSE:
        return client_respond(connection, message);
    case CLIENT_AUTHENTICATE:
        handle_authenticate(connection, message);
        break;
    case CLIENT_PRESENCE:
        return client_ask_presence(connection, message);
    case CLIENT_SET_STATE:
        client_set_state(connection, message);
        break;
    case CLIENT_WATCH_PRESENCE:
        client_watch_service(connection, message);
        break;
    case CLIENT_UNWATCH_PRESENCE:
        client_unwatch_service(connection, message);
        break;
    }
    return 0;
}

/* Also of the callbacks that are called later, when a join or leave is carried out. */
static uint32_t cost_of_request(const ws_manager_options *options,
                                const struct client_message *message)
{
    switch (message->type) {
    case CLIENT_JOIN_ROOM:
        return cost_of_asking(options, message) + callback_cost(options->on_join != NULL);
    case CLIENT_MESSAGE:
        return INPUT_COST_ACCEPT;
    case CLIENT_REQUEST:
    case CLIENT_RESPONSE:
    case CLIENT_PRESENCE:
    case CLIENT_SET_STATE:
    case CLIENT_WATCH_PRESENCE:
        return INPUT_COST_CALLBACK;
    case CLIENT_OWN:
        return 2 * INPUT_COST_CALLBACK;
    case CLIENT_AUTHENTICATE:
        return options->authenticate != NULL ? INPUT_COST_TOKEN : 0;
    case CLIENT_LEAVE_ROOM:
        return callback_cost(options->on_leave != NULL);
    case CLIENT_PING:
    case CLIENT_UNWATCH_PRESENCE:
        break;
    }
    return 0;
}

uint32_t client_execute(struct connection *connection, const struct client_message *message)
{
    uint32_t cost = cost_of_request(&connection->loop->manager->options, message);

    return cost + handle_request(connection, message);
}

static int parse(const struct connection *connection, char *text, size_t length,
                 struct client_message *message, struct answer_problem *problem)
{
    const ws_manager *manager = connection->loop->manager;
    const struct client_syntax syntax = {
        .max_depth = manager->options.max_client_json_depth,
        .has_type = handlers_have,
        .types = &manager->message_types,
    };

    return client_message_parse(&manager->memory, text, length, &syntax, message, problem);
}

static uint32_t handle_json(struct connection *connection, char *text, size_t length)
{
    const ws_manager *manager = connection->loop->manager;
    struct client_message message;
    struct answer_problem problem;
    int result = parse(connection, text, length, &message, &problem);
    uint32_t cost = 0;

    if (result == WS_OK) {
        cost = client_execute(connection, &message);
        client_message_free(&manager->memory, &message);
    } else if (result == WS_ERR_NO_MEMORY) {
        connection_out_of_memory(connection);
    } else {
        reply_with_problem(connection, message.ref, problem);
    }
    return cost + message.n_tokens / INPUT_TOKENS_PER_UNIT;
}

/* Whether a message that exceeds the rate limit is answered. A client that continues to send too
 * fast is disconnected, and so is one to which no error can be sent. */
static bool answers_rate_limit(struct connection *connection)
{
    const ws_manager *manager = connection->loop->manager;
    bool is_raw =
        connection->protocol == WS_PROTOCOL_RAW && connection_space(connection) == NULL;

    counter_add(&connection->loop->counters, COUNTER_rate_limited, 1);
    if (is_raw || connection->refused >= manager->options.message_burst ||
        connection->refused == REFUSED_MAX) {
        connection_doom(connection, DOOM_TOO_FAST);
        return false;
    }
    connection->refused++;
    return true;
}

/* Counts a message and applies the rate limit. False if it must not be processed. */
static bool admit(struct connection *connection, size_t length)
{
    struct counters *counters = &connection->loop->counters;

    counter_add(counters, COUNTER_received_messages, 1);
    counter_add(counters, COUNTER_received_bytes, length);
    if (!rate_limit_take(connection))
        return false;
    connection->refused = 0;
    return true;
}

static const struct answer_problem too_fast = {ANSWER_RATE_LIMITED,
                                               "too many messages; send more slowly"};

/* Returns the cost. */
static uint32_t refuse_rate(struct connection *connection, char *text, size_t length)
{
    const ws_manager *manager = connection->loop->manager;
    struct client_message message;
    struct answer_problem problem;

    if (!answers_rate_limit(connection))
        return 0;
    /* Parsed only for its ref, which the answer repeats. */
    if (parse(connection, text, length, &message, &problem) == WS_OK)
        client_message_free(&manager->memory, &message);
    reply_with_problem(connection, message.ref, too_fast);
    return message.n_tokens / INPUT_TOKENS_PER_UNIT;
}

bool client_admit(struct connection *connection, size_t length, struct json_slice ref)
{
    if (connection->state != CONNECTION_LIVE)
        return false;
    if (admit(connection, length))
        return true;
    if (answers_rate_limit(connection))
        reply_with_problem(connection, ref, too_fast);
    return false;
}

void client_refuse(struct connection *connection, struct json_slice ref,
                   struct answer_problem problem)
{
    reply_with_problem(connection, ref, problem);
}

uint32_t client_handle(struct connection *connection, char *data, size_t length, bool is_text)
{
    static const struct answer_problem binary = {ANSWER_BAD_REQUEST,
                                                 "binary messages are not supported"};
    uint32_t cost = INPUT_COST_MESSAGE + (uint32_t)(length / INPUT_BYTES_PER_UNIT);

    if (connection->state != CONNECTION_LIVE)
        return cost;
    if (!admit(connection, length))
        return cost + refuse_rate(connection, data, length);
    if (connection->protocol == WS_PROTOCOL_RAW)
        return cost + client_take_raw(connection, data, length, is_text);
    if (is_text)
        return cost + handle_json(connection, data, length);
    reply_with_problem(connection, (struct json_slice){NULL, 0}, binary);
    return cost;
}
