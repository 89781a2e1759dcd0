/* attachments.c: a packet of Socket.IO whose binary attachments are still arriving. */
#include "transport/engineio/attachments.h"

#include <string.h>

/* Returns the slice of the copy `to` that is at the place of a slice of the text `from`. */
static struct json_slice moved(struct json_slice slice, const char *from, const char *to)
{
    if (slice.text != NULL)
        slice.text = to + (slice.text - from);
    return slice;
}

static void count(const ws_loop *loop, struct attachments *attachments)
{
    unfinished_count(loop, &attachments->unfinished, sizeof *attachments + attachments->bytes);
}

struct attachments *attachments_new(const ws_loop *loop, const struct socketio_packet *packet,
                                    const char *text, size_t length)
{
    const ws_allocator *memory = &loop->manager->memory;
    struct attachments *made =
        memory_alloc(memory, sizeof *made + packet->n_attachments * sizeof *made->items);

    if (made == NULL)
        return NULL;
    *made = (struct attachments){
        .packet = *packet,
        .text = memory_copy_text(memory, text, length),
        .bytes = length,
    };
    if (made->text == NULL) {
        memory_free(memory, made);
        return NULL;
    }
    made->packet.space = moved(packet->space, text, made->text);
    made->packet.data = moved(packet->data, text, made->text);
    count(loop, made);
    return made;
}

bool attachments_add(const ws_loop *loop, struct attachments *attachments, const void *data,
                     size_t length)
{
    void *copy = NULL;

    if (length > 0) {
        copy = memory_alloc(&loop->manager->memory, length);
        if (copy == NULL)
            return false;
        memcpy(copy, data, length);
    }
    attachments->items[attachments->count++] = (ws_socketio_attachment){copy, length};
    attachments->bytes += length;
    count(loop, attachments);
    return true;
}

void attachments_complete(const ws_loop *loop, struct attachments *attachments)
{
    unfinished_count(loop, &attachments->unfinished, 0);
}

void attachments_free(const ws_loop *loop, struct attachments *attachments)
{
    const ws_allocator *memory = &loop->manager->memory;

    if (attachments == NULL)
        return;
    unfinished_count(loop, &attachments->unfinished, 0);
    for (uint32_t i = 0; i < attachments->count; i++)
        memory_free(memory, (void *)(uintptr_t)attachments->items[i].data);
    memory_free(memory, attachments->text);
    memory_free(memory, attachments);
}
