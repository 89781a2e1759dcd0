/* bundle.c: joins consecutive events for the same recipients into one message. */
#include "core/sending/bundle.h"

#include <string.h>

enum { BUNDLE_MAX_BYTES = UINT16_MAX };

/* Events can be joined if their frames are finished and none of their recipients is excluded.
 * Events without a position stay single, because recovering connections get them too, but not
 * the events around them. */
static bool can_go(const struct command *command, const struct share *share)
{
    return command->kind == COMMAND_EVENT && command->share == share &&
           command->message->frame_header > 0 && command->message->n_exclude == 0 &&
           command->message->position > 0;
}

/* Counts the commands, from the next one on, that can be joined. */
static size_t count_events(const ws_loop *loop, size_t *bytes)
{
    const struct command *first = &loop->batch.items[loop->done];
    size_t left = loop->batch.count - loop->done;
    size_t count = 0;

    *bytes = 0;
    while (count < left && can_go(&first[count], first->share)) {
        size_t more = message_frame_length(first[count].message);

        if (*bytes + more > BUNDLE_MAX_BYTES)
            break;
        *bytes += more;
        count++;
    }
    return count;
}

static void add_frame(ws_message *bundle, const ws_message *message)
{
    bundle->n_messages++;
    bundle->position = message->position;
    bundle->last_frame = (uint16_t)message_frame_length(message);
    bundle->frame_header += message->frame_header;
    memcpy(bundle->bytes + bundle->length, message_frame_start(message),
           message_frame_length(message));
    bundle->length += (uint32_t)message_frame_length(message);
}

void bundle_events(ws_loop *loop)
{
    struct command *first = &loop->batch.items[loop->done];
    size_t bytes;
    size_t count;
    ws_message *bundle;

    /* The application's own transports get each message by itself. */
    if (first->kind != COMMAND_EVENT || loop->n_outer > 0)
        return;
    count = count_events(loop, &bytes);
    if (count < 2)
        return;
    bundle = message_new(&loop->manager->memory, bytes, 0, NULL, 0);
    if (bundle == NULL)
        return;
    bundle->n_messages = 0;
    bundle->length = 0;
    for (size_t i = 0; i < count; i++) {
        add_frame(bundle, first[i].message);
        first[i].kind = COMMAND_BUNDLED;
    }
    /* As in any message, the length is that of the payloads. */
    bundle->start = bundle->frame_header;
    bundle->length -= bundle->frame_header;
    first->kind = COMMAND_EVENT;
    ws_message_unref(first->message);
    first->message = bundle;
}
