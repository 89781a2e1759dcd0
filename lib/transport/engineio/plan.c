/* plan.c: a room that a client of Socket.IO asked to join or leave. */
#include "transport/engineio/plan.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "transport/engineio/record.h"

struct plan *plan_new(const ws_allocator *memory, struct engineio_socket *socket,
                      const struct client_message *message)
{
    size_t of_room = strlen(message->room) + 1;
    size_t of_ref = message->ref.length;
    struct plan *plan = memory_zalloc(memory, sizeof *plan + of_room + of_ref + 1);

    if (plan == NULL)
        return NULL;
    plan->socket = socket;
    plan->timer.kind = TIMER_RECEIPT;
    plan->message = *message;
    plan->message.data = "null";
    plan->message.data_length = strlen("null");
    plan->message.room = memcpy(plan->text, message->room, of_room);
    if (message->ref.text != NULL)
        plan->message.ref.text = memcpy(plan->text + of_room, message->ref.text, of_ref);
    return plan;
}

void plan_free(struct plan *plan, ws_loop *loop)
{
    if (plan == NULL)
        return;
    timer_stop(&plan->timer);
    if (plan->recall != NULL)
        cluster_recall_abandon(plan->recall);
    input_list_release(&loop->inputs, &plan->input);
    memory_free(&loop->manager->memory, plan);
}

void plan_apply(const struct plan *plan, struct buffer *record)
{
    const char *room = plan->message.room;
    size_t at = record->failed ? 0 : record_find_room(record->data, record->length, room);

    if (plan->message.type == CLIENT_JOIN_ROOM && at == 0)
        buffer_add(record, room, strlen(room) + 1);
    else if (plan->message.type == CLIENT_LEAVE_ROOM && at != 0)
        buffer_remove(record, at, strlen(room) + 1);
}

static uint64_t digest_of(const struct buffer *record)
{
    return XXH3_64bits(record->data, record->length);
}

void plan_note(struct plan *plan, const struct buffer *record)
{
    plan->is_remembered = true;
    plan->digest = digest_of(record);
}

bool plan_is_noted(const struct plan *plan, const struct buffer *record)
{
    return plan->is_remembered && plan->digest == digest_of(record);
}
