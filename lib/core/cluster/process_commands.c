/* process_commands.c: carries out the commands for all processes that the stream brings. */
#include "core/cluster/process_commands.h"

#include <string.h>

#include "base/json_text.h"
#include "core/account.h"
#include "core/cluster/process_messages.h"
#include "core/presence/processes.h"
#include "core/sending/publish.h"
#include "core/sending/user_command.h"

/* The event's text is a valid JSON object. WS_ERR_INVALID: it lacks something. WS_ERR_BACKPRESSURE,
 * WS_ERR_NO_MEMORY: nothing was done. */
typedef int command_handler(ws_manager *manager, const ws_cluster_event *event);

static const struct {
    const char *name;
    command_handler *carry_out;
} commands[] = {
    {"disconnect_user", user_command_carry_out},
    {"join_room_of_user", user_command_carry_out},
    {"leave_room_of_user", user_command_carry_out},
    {"reauthorize_user", user_command_carry_out},
    {PROCESS_MESSAGE_COMMAND, process_message_carry_out},
    {PRESENCE_COMMAND, presence_command_carry_out},
    {PRESENCE_COMMAND "_begin", presence_command_carry_out},
    {PRESENCE_COMMAND "_end", presence_command_carry_out},
    {PRESENCE_COMMAND "_wanted", presence_command_carry_out},
    {PRESENCE_COMMAND "_repeated", presence_command_carry_out},
    {PRESENCE_COMMAND "_unwanted", presence_command_carry_out},
    {PRESENCE_COMMAND "_leaving", presence_command_carry_out},
    {PRESENCE_COMMAND "_alive", presence_command_carry_out},
};

static command_handler *find_handler(const ws_cluster_event *event)
{
    static const char *const names[] = {"order"};
    struct json_slice name;

    if (event->text == NULL || event->length > PROCESS_COMMAND_MAX_BYTES ||
        !json_valid(event->text, event->length, JSON_LEVELS) ||
        !json_members(event->text, event->length, names, &name, 1) || name.text == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (json_string_is(name, commands[i].name))
            return commands[i].carry_out;
    return NULL;
}

int process_command_carry_out(ws_manager *manager, const ws_cluster_event *event)
{
    command_handler *carry_out = find_handler(event);
    struct account before;
    int result = WS_ERR_INVALID;

    if (carry_out != NULL) {
        before = account_set((struct account){.kind = ACCOUNT_CLUSTER});
        result = carry_out(manager, event);
        account_set(before);
    }
    if (result == WS_OK) {
        counter_add_shared(&manager->counters, COUNTER_orders_done, 1);
    } else if (result == WS_ERR_INVALID) {
        stream_log_skip(manager, event->position,
                        carry_out != NULL ? "an invalid command" : "an unknown command");
        result = WS_OK;
    }
    if (result == WS_ERR_LIMIT) {
        counter_add_shared(&manager->counters, COUNTER_presence_skipped, 1);
        stream_log_skip(manager, event->position,
                        "from a process beyond the limit for presence");
        result = WS_OK;
    }
    return result;
}

void stream_log_skip(ws_manager *manager, uint64_t position, const char *why)
{
    uint64_t now_ms = (uint64_t)manager_clock(manager);
    uint32_t n_left_out;
    bool may_log;

    manager_lock(manager);
    may_log = log_limit_take(&manager->logged_skips, now_ms, &n_left_out);
    manager_unlock(manager);
    if (!may_log)
        return;
    if (n_left_out > 0)
        manager_log(manager, WS_LOG_WARN, "%u more events of the stream were skipped",
                    n_left_out);
    manager_log(manager, WS_LOG_WARN, "event %llu of the stream is %s and was skipped",
                (unsigned long long)position, why);
}

/* --- what was missed ---------------------------------------------------------------------- */

/* What the manager knows of the stream. */
struct known {
    bool same_epoch;
    uint64_t position; /* all commands up to here were carried out */
};

static struct known what_is_known(ws_manager *manager, const char *epoch)
{
    struct known known;

    manager_lock(manager);
    known.same_epoch = manager->cluster_started && strcmp(epoch, manager->epoch) == 0;
    known.position = manager->position;
    if (known.same_epoch && manager->commands_position > known.position)
        known.position = manager->commands_position;
    manager_unlock(manager);
    return known;
}

static void note_done(ws_manager *manager, uint64_t position)
{
    manager_lock(manager);
    manager->commands_position = position;
    manager_unlock(manager);
}

bool process_commands_done(ws_manager *manager, uint64_t position)
{
    bool done;

    manager_lock(manager);
    done = position <= manager->commands_position;
    manager_unlock(manager);
    return done;
}

int process_commands_catch_up(ws_manager *manager, const char *epoch, uint64_t position,
                              const ws_cluster_event *events, size_t n_events, bool *has_gap)
{
    struct known known = what_is_known(manager, epoch);

    *has_gap =
        !known.same_epoch || known.position > position || known.position < position - n_events;
    if (*has_gap)
        return WS_OK;
    for (size_t i = n_events - (size_t)(position - known.position); i < n_events; i++) {
        int result = is_process_command(&events[i])
                         ? process_command_carry_out(manager, &events[i])
                         : WS_OK;

        if (result != WS_OK)
            return result;
        note_done(manager, events[i].position);
    }
    return WS_OK;
}
