/* message.c: one message after its frame header, or a bundle of several. */
#include "core/events/message.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/events/ids.h"

static int compare_ids(const void *left, const void *right)
{
    ws_conn_id a = *(const ws_conn_id *)left;
    ws_conn_id b = *(const ws_conn_id *)right;

    return (a > b) - (a < b);
}

/* bytes[] begins with the excluded ids, which its offset (a multiple of 8) keeps aligned. */
const ws_conn_id *message_excluded(const ws_message *message)
{
    return (const ws_conn_id *)(const void *)message->bytes;
}

enum { EXCLUDE_MAX = MESSAGE_MAX_BYTES / sizeof(ws_conn_id) / 4 };

ws_message *message_new(const ws_allocator *memory, size_t length, size_t room,
                        const ws_conn_id *exclude, size_t n_exclude)
{
    size_t start;
    ws_message *message;

    if (length > MESSAGE_MAX_BYTES || n_exclude > EXCLUDE_MAX)
        return NULL;
    start =
        offsetof(ws_message, bytes) + n_exclude * sizeof *exclude + MESSAGE_FRAME_ROOM + room;
    message = memory_alloc(memory, start + length);
    if (message == NULL)
        return NULL;
    *message = (ws_message){
        .frames = {.memory = memory,
                   .start = (uint32_t)start,
                   .length = (uint32_t)length,
                   .n_frames = 1},
        .payload_bytes = (uint32_t)length,
        .n_exclude = (uint32_t)n_exclude & (2 * EXCLUDE_MAX - 1),
        .is_text = true,
    };
    atomic_init(&message->frames.refs, 1);
    if (n_exclude > 0) {
        memcpy(message->bytes, exclude, n_exclude * sizeof *exclude);
        qsort(message->bytes, n_exclude, sizeof *exclude, compare_ids);
    }
    return message;
}

ws_message *message_new_copy(const ws_allocator *memory, const void *payload, size_t length,
                             bool is_text)
{
    ws_message *message = message_new(memory, length, 0, NULL, 0);

    if (message == NULL)
        return NULL;
    message->is_text = is_text;
    if (length > 0)
        memcpy(message_payload(message), payload, length);
    return message;
}

ws_message *message_new_answer(const ws_allocator *memory, size_t capacity)
{
    ws_message *message = message_new(memory, capacity, 0, NULL, 0);

    if (message == NULL)
        return NULL;
    message->frames.is_own = true;
    message->frames.length = 0;
    message->payload_bytes = 0;
    return message;
}

void message_append(ws_message *message, const void *bytes, size_t length)
{
    memcpy(frames_end(&message->frames), bytes, length);
    message->frames.length += (uint32_t)length;
    message->payload_bytes += (uint32_t)length;
}

ws_message *message_new_packets(const ws_allocator *memory, size_t length, size_t n)
{
    ws_message *message;

    if (length > MESSAGE_MAX_BYTES || n > UINT8_MAX + 1)
        return NULL;
    message = message_new_answer(memory, length + n * MESSAGE_FRAME_ROOM);
    if (message != NULL)
        message->form = MESSAGE_PACKET;
    return message;
}

void message_add_packet(ws_message *message, message_framing *framing, const void *bytes,
                        size_t length, bool is_text)
{
    uint8_t header[MESSAGE_FRAME_ROOM];
    uint8_t *end = header + sizeof header;
    uint8_t size = framing != NULL ? framing(end, length, is_text) : 0;
    uint8_t *to = frames_end(&message->frames);

    memcpy(to, end - size, size);
    if (length > 0)
        memcpy(to + size, bytes, length);
    message->frames.length += size + (uint32_t)length;
    message->payload_bytes += (uint32_t)length;
}

void message_frame(ws_message *message, message_framing *framing)
{
    uint8_t header =
        framing(message_payload(message), message->payload_bytes, message->is_text);

    message->frames.start -= header;
    message->frames.length += header;
}

ws_message *message_new_bundle(const ws_allocator *memory, size_t capacity)
{
    size_t start = offsetof(ws_message, bytes);
    ws_message *bundle = memory_alloc(memory, start + capacity);

    if (bundle == NULL)
        return NULL;
    *bundle = (ws_message){.frames = {.memory = memory, .start = (uint32_t)start}};
    atomic_init(&bundle->frames.refs, 1);
    return bundle;
}

void message_bundle_add(ws_message *bundle, const ws_message *message)
{
    memcpy(frames_end(&bundle->frames), frames_bytes(&message->frames), message->frames.length);
    frames_add(&bundle->frames, message->frames.length);
    bundle->payload_bytes += message->payload_bytes;
    bundle->position = message->position;
    bundle->has_id = true;
}

bool message_excludes(const ws_message *message, ws_conn_id id)
{
    return bsearch(&id, message_excluded(message), message->n_exclude, sizeof id,
                   compare_ids) != NULL;
}

ws_conn_id message_exclusion(const char *process, const char *connection_name, bool *is_foreign)
{
    char owner[EPOCH_SIZE];
    ws_conn_id id;

    *is_foreign =
        !connection_name_read(connection_name, owner, &id) || strcmp(owner, process) != 0;
    return *is_foreign ? XXH3_64bits(connection_name, strlen(connection_name)) : id;
}

const void *ws_message_payload(const ws_message *message, size_t *length)
{
    if (message == NULL || length == NULL)
        return NULL;
    *length = message->payload_bytes;
    return frames_bytes(&message->frames) + message->frames.length - message->payload_bytes;
}

int ws_message_is_text(const ws_message *message)
{
    return message != NULL && message->is_text;
}

ws_message *ws_message_ref(ws_message *message)
{
    if (message != NULL)
        frames_ref_n(&message->frames, 1);
    return message;
}

void ws_message_unref(ws_message *message)
{
    if (message != NULL)
        frames_unref(&message->frames);
}
