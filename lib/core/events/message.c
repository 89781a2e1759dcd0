/* message.c: the bytes of one message, made once and shared by every recipient's queue. */
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

ws_message *message_new(const ws_allocator *memory, size_t length, size_t room,
                        const ws_conn_id *exclude, size_t n_exclude)
{
    size_t start;
    ws_message *message;

    if (length > MESSAGE_MAX_BYTES || n_exclude > MESSAGE_MAX_BYTES / sizeof *exclude)
        return NULL;
    start = n_exclude * sizeof *exclude + MESSAGE_FRAME_ROOM + room;
    message = memory_alloc(memory, offsetof(ws_message, bytes) + start + length);
    if (message == NULL)
        return NULL;
    *message = (ws_message){
        .memory = memory,
        .n_messages = 1,
        .is_text = true,
        .start = (uint32_t)start,
        .length = (uint32_t)length,
        .n_exclude = (uint32_t)n_exclude,
    };
    atomic_init(&message->refs, 1);
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

struct message_variant *message_find_variant(const ws_message *message, int kind)
{
    struct message_variant *variant =
        atomic_load_explicit(&message->variants, memory_order_acquire);

    while (variant != NULL && variant->kind != kind)
        variant = variant->next;
    return variant;
}

/* True if it was the last reference. */
static bool give_back(ws_message *message)
{
    if (atomic_fetch_sub_explicit(&message->refs, 1, memory_order_release) != 1)
        return false;
    /* An acquire load, not a fence, so that ThreadSanitizer sees it too. */
    (void)atomic_load_explicit(&message->refs, memory_order_acquire);
    return true;
}

/* A form of a message has no forms of its own. */
static void free_variant(const ws_allocator *memory, struct message_variant *variant)
{
    if (variant->message != NULL && give_back(variant->message))
        memory_free(memory, variant->message);
    memory_free(memory, variant);
}

struct message_variant *message_add_variant(ws_message *message, int kind, ws_message *form)
{
    struct message_variant *variant = memory_alloc(message->memory, sizeof *variant);
    struct message_variant *others;

    if (variant == NULL) {
        if (form != NULL)
            ws_message_unref(form);
        return NULL;
    }
    *variant = (struct message_variant){.message = form, .kind = kind};
    others = atomic_load_explicit(&message->variants, memory_order_acquire);
    do {
        struct message_variant *same = message_find_variant(message, kind);

        if (same != NULL) {
            free_variant(message->memory, variant);
            return same;
        }
        variant->next = others;
    } while (!atomic_compare_exchange_weak_explicit(
        &message->variants, &others, variant, memory_order_acq_rel, memory_order_acquire));
    return variant;
}

static void free_message(ws_message *message)
{
    struct message_variant *variant = atomic_load(&message->variants);

    while (variant != NULL) {
        struct message_variant *next = variant->next;

        free_variant(message->memory, variant);
        variant = next;
    }
    memory_free(message->memory, message);
}

void message_prepend(ws_message *message, const void *bytes, size_t length)
{
    message->start -= (uint32_t)length;
    message->length += (uint32_t)length;
    memcpy(message_payload(message), bytes, length);
}

void message_append(ws_message *message, const void *bytes, size_t length)
{
    memcpy(message_payload(message) + message->length, bytes, length);
    message->length += (uint32_t)length;
}

ws_message *message_trim(ws_message *message)
{
    size_t size = offsetof(ws_message, bytes) + message->start + message->length;
    ws_message *trimmed = memory_realloc(message->memory, message, size);

    return trimmed != NULL ? trimmed : message;
}

void message_frame(ws_message *message, message_framing *framing)
{
    message->frame_header =
        framing(message_payload(message), message->length, message->is_text);
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
    *length = message->length;
    return message->bytes + message->start;
}

int ws_message_is_text(const ws_message *message)
{
    return message->is_text;
}

ws_message *ws_message_ref(ws_message *message)
{
    message_ref_n(message, 1);
    return message;
}

void ws_message_unref(ws_message *message)
{
    if (give_back(message))
        free_message(message);
}
