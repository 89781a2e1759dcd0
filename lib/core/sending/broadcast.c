/* broadcast.c: sends a ws_event to everyone, a room, a user or one connection. Not here: events
 * that are emitted directly from JSON text (emit.c). */
#include <string.h>

#include <ws_manager/send.h>

#include "base/utf8.h"
#include "core/checks.h"
#include "core/sending/encode.h"
#include "core/sending/event.h"
#include "core/sending/publish.h"
#include "core/sending/send.h"

static ws_message *encode(ws_event *event, const char *room, const ws_conn_id *exclude,
                          size_t n_exclude)
{
    const ws_manager *manager = event->manager;

    event->timestamp_ms = manager_clock(manager);
    return encode_event(&manager->memory,
                        &(struct event_fields){
                            .type = event->type,
                            .data = event->data,
                            .data_length = event->data_length,
                            .timestamp_ms = event->timestamp_ms,
                            .user_id = event->user_id,
                            .room = room,
                            .key = event->key,
                        },
                        exclude, n_exclude);
}

static int check_unsent(const ws_manager *manager, const ws_event *event,
                        const ws_conn_id *exclude, size_t n_exclude)
{
    if (manager == NULL || event == NULL || event->manager != manager ||
        (exclude == NULL && n_exclude > 0))
        return WS_ERR_INVALID;
    return event->sent ? WS_ERR_ALREADY : checks_call(manager, "an event was sent");
}

static void mark_unsent(ws_event *event)
{
    event->sent = false;
    event->timestamp_ms = 0;
}

/* With a carrier the callback may be called, by another thread, before publish() has returned.
 * It may free the event, which is not used after it has been handed over. */
static int send_by_carrier(ws_manager *manager, const struct publication *publication,
                           ws_event *event)
{
    int result;

    event->sent = true;
    result = publish(manager, publication);
    if (result != WS_OK)
        mark_unsent(event);
    return result;
}

/* The callback may free the event: it is called last. */
static int send_here(ws_manager *manager, const struct publication *publication,
                     ws_event *event)
{
    int result = publish(manager, publication);
    char id[EVENT_ID_SIZE];

    if (result != WS_OK) {
        mark_unsent(event);
        return result;
    }
    event->sent = true;
    event_id_write(manager->epoch, publication->message->position, id);
    memcpy(event->id, id, sizeof id);
    if (publication->stored != NULL)
        publication->stored(WS_OK, id, publication->stored_data);
    return WS_OK;
}

static int send_to(ws_manager *manager, struct target target, ws_event *event,
                   const ws_conn_id *exclude, size_t n_exclude)
{
    struct publication publication;
    ws_message *message;
    int result = check_unsent(manager, event, exclude, n_exclude);

    if (result != WS_OK)
        return result;
    if (target.kind != GROUP_EVERYONE && !name_text_valid(target.name))
        return WS_ERR_INVALID;
    message = encode(event, target.kind == GROUP_ROOM ? target.name : NULL, exclude, n_exclude);
    if (message == NULL) {
        event->timestamp_ms = 0;
        return WS_ERR_NO_MEMORY;
    }
    publication = (struct publication){
        .target = target,
        .message = message,
        .time_ms = event->timestamp_ms,
        .producer = event->producer,
        .sequence = event->sequence,
        .stored = event->stored,
        .stored_data = event->stored_data,
    };
    result = manager->has_cluster ? send_by_carrier(manager, &publication, event)
                                  : send_here(manager, &publication, event);
    ws_message_unref(message);
    return result;
}

int ws_manager_broadcast(ws_manager *manager, ws_event *event, const ws_conn_id *exclude,
                         size_t n_exclude)
{
    return send_to(manager, (struct target){GROUP_EVERYONE, NULL}, event, exclude, n_exclude);
}

int ws_manager_broadcast_to_room(ws_manager *manager, const char *room, ws_event *event,
                                 const ws_conn_id *exclude, size_t n_exclude)
{
    return send_to(manager, (struct target){GROUP_ROOM, room}, event, exclude, n_exclude);
}

int ws_manager_send_to_user(ws_manager *manager, const char *user_id, ws_event *event,
                            const ws_conn_id *exclude, size_t n_exclude)
{
    return send_to(manager, (struct target){GROUP_USER, user_id}, event, exclude, n_exclude);
}

int ws_manager_emit_event(ws_manager *manager, ws_event *event)
{
    struct target target = {GROUP_EVERYONE, NULL};
    const struct event_type *type;
    const char *room;
    int result = check_unsent(manager, event, NULL, 0);

    if (result != WS_OK)
        return result;
    type = event_types_find(&manager->types, event->type);
    room = type != NULL ? atomic_load_explicit(&type->room, memory_order_acquire) : NULL;
    if (room != NULL)
        target = (struct target){GROUP_ROOM, room};
    return send_to(manager, target, event, NULL, 0);
}

int ws_manager_send_personal_message(ws_manager *manager, ws_conn_id connection,
                                     ws_event *event, const ws_conn_id *exclude,
                                     size_t n_exclude)
{
    ws_message *message;
    int result = check_unsent(manager, event, exclude, n_exclude);

    if (result != WS_OK)
        return result;
    message = encode(event, NULL, exclude, n_exclude);
    result = WS_ERR_NO_MEMORY;
    if (message != NULL) {
        encode_finish(manager, message, NULL, 0);
        result = send_message(manager, connection, message);
    }
    event->sent = result == WS_OK;
    if (!event->sent)
        event->timestamp_ms = 0;
    return result;
}
