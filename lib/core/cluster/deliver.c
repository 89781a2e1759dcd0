/* deliver.c: takes an event, or a command for all processes, that the carrier read from the
 * stream, and the receipt for one that was stored. Not here: where the stream begins (start.c). */
#include "core/cluster/stream_event.h"

#include "core/account.h"
#include "core/cluster/process_commands.h"
#include "core/sending/publish.h"

static bool is_next(ws_manager *manager, uint64_t position)
{
    bool next;

    manager_lock(manager);
    next = manager->cluster_started && position == manager->position + 1;
    manager_unlock(manager);
    return next;
}

/* Counts the position of an entry that has no recipients. */
static void pass_over(ws_manager *manager)
{
    manager_lock(manager);
    manager->position++;
    manager_unlock(manager);
}

static int deliver_command(ws_manager *manager, const ws_cluster_event *event)
{
    int result = process_commands_done(manager, event->position)
                     ? WS_OK
                     : process_command_carry_out(manager, event);

    if (result == WS_OK)
        pass_over(manager);
    return result;
}

int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event)
{
    struct account before;
    ws_message *message;
    enum group_kind kind;
    int result;

    if (manager == NULL || event == NULL || !is_next(manager, event->position))
        return WS_ERR_INVALID;
    if (is_process_command(event))
        return deliver_command(manager, event);
    if (!cluster_event_valid(event, &kind)) {
        pass_over(manager);
        stream_log_skip(manager, event->position, "not valid");
        return WS_OK;
    }
    message = cluster_event_message(manager, event);
    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    before = account_set((struct account){.kind = ACCOUNT_CLUSTER});
    result = send_event(manager, (struct target){kind, event->target}, message,
                        manager_clock(manager));
    account_set(before);
    ws_message_unref(message);
    return result;
}

void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                               uint64_t position)
{
    struct receipt *given = receipt;
    char id[EVENT_ID_SIZE] = "";

    if (manager == NULL || given == NULL)
        return;
    if (result == WS_OK && position > 0) {
        manager_lock(manager);
        event_id_write(manager->epoch, position, id);
        manager_unlock(manager);
    }
    given->stored(result, id, given->stored_data);
    memory_free(&manager->memory, given);
}
