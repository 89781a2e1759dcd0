/* publish.c: gives an event its position: at once, or through the cluster's carrier. */
#include "core/sending/publish.h"

#include <string.h>

#include "core/backlog.h"
#include "core/sending/keep.h"

/* Writes the names of the connections that the message excludes, separated by spaces; NULL if
 * there are none. False if memory ran out. */
static bool name_excluded(const ws_manager *manager, const ws_message *message, char **names)
{
    const ws_conn_id *excluded = message_excluded(message);
    struct buffer buffer;

    *names = NULL;
    if (message->n_exclude == 0)
        return true;
    buffer_init(&buffer, &manager->memory);
    for (uint32_t i = 0; i < message->n_exclude; i++) {
        char name[CONNECTION_NAME_SIZE];

        connection_name_write(manager->process, excluded[i], name);
        if (i > 0)
            buffer_add_text(&buffer, " ");
        buffer_add_text(&buffer, name);
    }
    *names = buffer_take(&buffer, NULL);
    return *names != NULL;
}

static int hand_to_carrier(const ws_manager *manager, const struct publication *publication,
                           void *receipt)
{
    static const int32_t scopes[] = {[GROUP_EVERYONE] = WS_SCOPE_EVERYONE,
                                     [GROUP_USER] = WS_SCOPE_USER,
                                     [GROUP_ROOM] = WS_SCOPE_ROOM};
    ws_message *message = publication->message;
    ws_cluster_event event = {
        .size = sizeof event,
        .scope = scopes[publication->target.kind],
        .target = publication->target.name,
        .producer = publication->producer,
        .sequence = publication->sequence,
        .for_client = account_is_client(),
    };
    struct kept_note note;
    char *excluded;
    int result;

    if (!name_excluded(manager, message, &excluded))
        return WS_ERR_NO_MEMORY;
    if (!keep_describe(manager, publication->target.kind, event.target, message, &note)) {
        memory_free(&manager->memory, excluded);
        return WS_ERR_NO_MEMORY;
    }
    *message_prepend(message, 1) = '{';
    event.exclude = excluded;
    event.text = ws_message_payload(message, &event.length);
    event.keep = note.is_kept ? &note.keep : NULL;
    result = manager->cluster.publish(&event, receipt, manager->cluster_data);
    kept_note_free(&manager->memory, &note);
    memory_free(&manager->memory, excluded);
    return result;
}

static int publish_by_carrier(ws_manager *manager, const struct publication *publication)
{
    struct receipt *receipt = NULL;
    int result;

    if (publication->stored != NULL) {
        receipt = memory_alloc(&manager->memory, sizeof *receipt);
        if (receipt == NULL)
            return WS_ERR_NO_MEMORY;
        *receipt = (struct receipt){publication->stored, publication->stored_data};
    }
    result = hand_to_carrier(manager, publication, receipt);
    if (result != WS_OK) {
        memory_free(&manager->memory, receipt);
        manager_count_refused(manager, result);
    }
    return result;
}

/* Whether a callback publishes because of a client's message while the client's loop is behind
 * with the stream. Every such event comes back through the stream, so the backlog would grow as
 * fast as clients send. The client's loop may be another one than this thread's, and freed. */
static bool is_too_much_for_client(ws_manager *manager)
{
    struct account account = account_now();
    const ws_loop *loop;
    bool is_behind;

    if (account.kind != ACCOUNT_CLIENT)
        return false;
    manager_lock(manager);
    loop = manager->loops[account.loop];
    is_behind = loop != NULL && backlog_of_stream_is_long(loop);
    manager_unlock(manager);
    return is_behind;
}

int publish(ws_manager *manager, const struct publication *publication)
{
    if (manager->has_cluster && is_too_much_for_client(manager)) {
        manager_count_refused(manager, WS_ERR_BACKPRESSURE);
        return WS_ERR_BACKPRESSURE;
    }
    return manager->has_cluster ? publish_by_carrier(manager, publication)
                                : send_event(manager, publication->target, publication->message,
                                             publication->time_ms);
}

int publish_process_command(ws_manager *manager, const char *text, size_t length)
{
    const ws_cluster_event event = {
        .size = sizeof event,
        .scope = WS_SCOPE_PROCESSES,
        .text = text,
        .length = length,
        .for_client = account_is_client(),
    };
    int result = WS_ERR_BACKPRESSURE;

    if (!is_too_much_for_client(manager))
        result = manager->cluster.publish(&event, NULL, manager->cluster_data);
    if (result == WS_OK)
        counter_add_shared(&manager->counters, COUNTER_orders_sent, 1);
    else
        manager_count_refused(manager, result);
    return result;
}
