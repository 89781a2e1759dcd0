/* bundle.c: joins consecutive events for the same recipients into one message. */
#include "core/sending/bundle.h"

enum { BUNDLE_MAX_BYTES = UINT16_MAX };

/* Counts the commands, from the next one on, that can be joined. */
static size_t count_events(const ws_loop *loop, size_t *bytes)
{
    const struct command *first = &loop->batch.items[loop->done];
    size_t left = loop->batch.count - loop->done;
    size_t count = 0;

    *bytes = 0;
    while (count < left && command_can_be_joined(&first[count], first->share)) {
        size_t more = first[count].message->frames.length;

        if (*bytes + more > BUNDLE_MAX_BYTES)
            break;
        *bytes += more;
        count++;
    }
    return count;
}

void bundle_events(ws_loop *loop)
{
    struct command *first = &loop->batch.items[loop->done];
    size_t bytes;
    size_t count;
    ws_message *bundle;

    /* The application's own transports get each message by itself. */
    if (first->kind != COMMAND_EVENT || loop->n_custom > 0)
        return;
    count = count_events(loop, &bytes);
    if (count < 2)
        return;
    bundle = message_new_bundle(&loop->manager->memory, bytes);
    if (bundle == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        message_bundle_add(bundle, first[i].message);
        first[i].kind = COMMAND_BUNDLED;
    }
    first->kind = COMMAND_EVENT;
    ws_message_unref(first->message);
    first->message = bundle;
}
