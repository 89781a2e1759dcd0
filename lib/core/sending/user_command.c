/* user_command.c: commands for all connections of a user. */
#include "core/sending/user_command.h"

#include <string.h>

#include <ws_manager/user_commands.h>

#include "base/close_code.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "core/checks.h"
#include "core/inbox.h"
#include "core/sending/publish.h"

static const char *const action_names[N_USER_ACTIONS] = {
    [USER_DISCONNECT] = "disconnect_user",
    [USER_JOIN_ROOM] = "join_room_of_user",
    [USER_LEAVE_ROOM] = "leave_room_of_user",
    [USER_REAUTHORIZE] = "reauthorize_user",
};

static bool has_room(enum user_action action)
{
    return action == USER_JOIN_ROOM || action == USER_LEAVE_ROOM;
}

struct user_command *user_command_new(const ws_allocator *memory, enum user_action action,
                                      const char *user_id, uint16_t code, const char *text)
{
    size_t user_length = user_id != NULL ? strlen(user_id) : 0;
    size_t text_length = text != NULL ? strlen(text) : 0;
    struct user_command *command =
        memory_zalloc(memory, sizeof *command + user_length + text_length + 2);

    if (command == NULL)
        return NULL;
    atomic_init(&command->refs, 1);
    command->action = (uint8_t)action;
    command->code = code;
    if (user_length > 0)
        memcpy(command->texts, user_id, user_length);
    if (text_length > 0)
        memcpy(command->texts + user_length + 1, text, text_length);
    command->user_id = command->texts;
    command->text = command->texts + user_length + 1;
    return command;
}

void user_command_unref(const ws_manager *manager, struct user_command *command)
{
    if (command != NULL &&
        atomic_fetch_sub_explicit(&command->refs, 1, memory_order_acq_rel) == 1)
        memory_free(&manager->memory, command);
}

/* --- posting ------------------------------------------------------------------------------ */

/* What is posted to the loops on which the user is, or will be: a connection that is about to be
 * registered has pinned its share already. */
struct postings {
    struct share *shares[MANAGER_MAX_LOOPS]; /* each with a pin */
    uint32_t weights[MANAGER_MAX_LOOPS];     /* the connections of the user, for the backlog */
    uint32_t count;
};

static void give_back(ws_manager *manager, const struct postings *postings)
{
    for (uint32_t i = 0; i < postings->count; i++)
        registry_unpin(&manager->registry, postings->shares[i]);
}

/* Reserves room in the inbox of a loop, and the share. The lock is held. */
static int reserve_one(ws_manager *manager, const struct user_command *command,
                       struct share *user, struct postings *postings)
{
    int result = loop_reserve(user->loop, true);
    struct share *share = user;

    manager_assert_locked(manager);
    if (result != WS_OK)
        return result;
    if (command->action == USER_JOIN_ROOM)
        share = manager_pin_room(manager, command->text, user->loop);
    else
        share->pins++;
    if (share == NULL)
        return WS_ERR_NO_MEMORY;
    postings->weights[postings->count] = user->count;
    postings->shares[postings->count++] = share;
    return WS_OK;
}

/* The lock is held. */
static int reserve_all(ws_manager *manager, const struct user_command *command,
                       struct postings *postings)
{
    struct group *group = registry_find(&manager->registry, GROUP_USER, command->user_id);
    struct share *user = group != NULL ? group_shares(group) : NULL;
    int result = WS_OK;

    manager_assert_locked(manager);
    for (; user != NULL && result == WS_OK; user = user->next)
        result = reserve_one(manager, command, user, postings);
    if (result != WS_OK)
        give_back(manager, postings);
    return result;
}

/* The caller keeps its reference. */
static int post(ws_manager *manager, struct user_command *command)
{
    struct postings postings = {.count = 0};
    struct posting posting;
    int result;

    if (command->action == USER_LEAVE_ROOM || command->action == USER_REAUTHORIZE)
        manager_note_reauthorization(manager);
    posting_begin(&posting, manager);
    result = reserve_all(manager, command, &postings);
    if (result == WS_OK) {
        atomic_fetch_add_explicit(&command->refs, postings.count, memory_order_relaxed);
        for (uint32_t i = 0; i < postings.count; i++)
            posting_push(&posting, postings.shares[i]->loop,
                         &(struct command){.kind = COMMAND_USER,
                                           .work = postings.weights[i],
                                           .share = postings.shares[i],
                                           .user = command});
    }
    posting_end(&posting);
    return result;
}

static int make_and_post(ws_manager *manager, enum user_action action, const char *user_id,
                         uint16_t code, const char *text)
{
    struct user_command *command =
        user_command_new(&manager->memory, action, user_id, code, text);
    int result;

    if (command == NULL)
        return WS_ERR_NO_MEMORY;
    result = post(manager, command);
    user_command_unref(manager, command);
    return result;
}

/* --- through the stream ------------------------------------------------------------------- */

static int publish_user_command(ws_manager *manager, enum user_action action,
                                const char *user_id, uint16_t code, const char *text)
{
    struct buffer buffer;
    int result = WS_ERR_NO_MEMORY;

    buffer_init(&buffer, &manager->memory);
    buffer_add_text(&buffer, "{\"order\":\"");
    buffer_add_text(&buffer, action_names[action]);
    buffer_add_text(&buffer, "\",\"user_id\":");
    buffer_add_json_string(&buffer, user_id, strlen(user_id));
    if (has_room(action)) {
        buffer_add_text(&buffer, ",\"room\":");
        buffer_add_json_string(&buffer, text, strlen(text));
    } else if (action == USER_DISCONNECT) {
        buffer_add_text(&buffer, ",\"code\":");
        buffer_add_number(&buffer, code);
        buffer_add_text(&buffer, ",\"reason\":");
        buffer_add_json_string_or_null(&buffer, text);
    }
    buffer_add_text(&buffer, "}");
    if (!buffer.failed)
        result = publish_process_command(manager, buffer.data, buffer.length);
    buffer_free(&buffer);
    return result;
}

/* Reads a close code; 0 if it is none. */
static uint16_t read_code(struct json_slice value)
{
    uint32_t code = 0;

    if (value.text == NULL || value.length != 4)
        return 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.text[i] < '0' || value.text[i] > '9')
            return 0;
        code = code * 10 + (uint32_t)(value.text[i] - '0');
    }
    return (uint16_t)code;
}

enum member { MEMBER_COMMAND, MEMBER_USER, MEMBER_ROOM, MEMBER_CODE, MEMBER_REASON, N_MEMBERS };

static const char *const member_names[N_MEMBERS] = {"order", "user_id", "room", "code",
                                                    "reason"};

static bool find_action(struct json_slice name, enum user_action *action)
{
    for (unsigned i = 0; i < N_USER_ACTIONS; i++) {
        *action = (enum user_action)i;
        if (json_string_is(name, action_names[i]))
            return true;
    }
    return false;
}

static bool is_valid(enum user_action action, const char *user_id, uint16_t code,
                     const char *text)
{
    return name_text_valid(user_id) && (!has_room(action) || name_text_valid(text)) &&
           (action != USER_DISCONNECT || (close_code_valid(code) && close_reason_valid(text)));
}

int user_command_carry_out(ws_manager *manager, const ws_cluster_event *event)
{
    struct json_slice values[N_MEMBERS];
    enum user_action action = USER_DISCONNECT;
    char *user_id = NULL;
    char *of = NULL; /* the room, or the reason */
    uint16_t code;
    int result = WS_ERR_INVALID;

    if (!json_members(event->text, event->length, member_names, values, N_MEMBERS) ||
        values[MEMBER_USER].text == NULL || !find_action(values[MEMBER_COMMAND], &action))
        return WS_ERR_INVALID;
    code = read_code(values[MEMBER_CODE]);
    if (!json_string(&manager->memory, values[MEMBER_USER], &user_id))
        return WS_ERR_NO_MEMORY;
    if (values[has_room(action) ? MEMBER_ROOM : MEMBER_REASON].text != NULL &&
        !json_string(&manager->memory, values[has_room(action) ? MEMBER_ROOM : MEMBER_REASON],
                     &of))
        result = WS_ERR_NO_MEMORY;
    else if (is_valid(action, user_id, code, of))
        result = make_and_post(manager, action, user_id, code, of);
    memory_free(&manager->memory, user_id);
    memory_free(&manager->memory, of);
    return result;
}

/* --- the application's calls -------------------------------------------------------------- */

static int command_user(ws_manager *manager, enum user_action action, const char *user_id,
                        uint16_t code, const char *text)
{
    int result;

    if (manager == NULL || !is_valid(action, user_id, code, text))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a function for a user was called");
    if (result != WS_OK)
        return result;
    if (manager->has_cluster)
        return publish_user_command(manager, action, user_id, code, text);
    result = make_and_post(manager, action, user_id, code, text);
    if (result == WS_OK) {
        counter_add_shared(&manager->counters, COUNTER_orders_sent, 1);
        counter_add_shared(&manager->counters, COUNTER_orders_done, 1);
    }
    return result;
}

int ws_manager_disconnect_user(ws_manager *manager, const char *user_id, uint16_t code,
                               const char *reason)
{
    return command_user(manager, USER_DISCONNECT, user_id, code, reason);
}

int ws_manager_join_room_of_user(ws_manager *manager, const char *user_id, const char *room)
{
    return command_user(manager, USER_JOIN_ROOM, user_id, 0, room);
}

int ws_manager_leave_room_of_user(ws_manager *manager, const char *user_id, const char *room)
{
    return command_user(manager, USER_LEAVE_ROOM, user_id, 0, room);
}

int ws_manager_reauthorize_user(ws_manager *manager, const char *user_id)
{
    return command_user(manager, USER_REAUTHORIZE, user_id, 0, NULL);
}
