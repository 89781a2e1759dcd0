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

struct attachments *attachments_new(const ws_allocator *memory,
                                    const struct socketio_packet *packet, const char *text,
                                    size_t length)
{
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
    return made;
}

bool attachments_add(struct attachments *attachments, const ws_allocator *memory,
                     const void *data, size_t length)
{
    void *copy = NULL;

    if (length > 0) {
        copy = memory_alloc(memory, length);
        if (copy == NULL)
            return false;
        memcpy(copy, data, length);
    }
    attachments->items[attachments->count++] = (ws_socketio_attachment){copy, length};
    attachments->bytes += length;
    return true;
}

void attachments_free(struct attachments *attachments, const ws_allocator *memory)
{
    if (attachments == NULL)
        return;
    for (uint32_t i = 0; i < attachments->count; i++)
        memory_free(memory, (void *)(uintptr_t)attachments->items[i].data);
    memory_free(memory, attachments->text);
    memory_free(memory, attachments);
}
