/* handlers.c: the callbacks that the application has registered by name. */
#include "core/handlers.h"

#include <string.h>

#include <ws_manager/requests.h>

/* The application names the handlers, never a client, so a plain hash is enough (FNV-1a). */
static size_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return (hash ^ hash >> 16) % HANDLER_BUCKETS;
}

struct handler *handlers_find(const struct handlers *handlers, const char *name)
{
    struct handler *handler =
        atomic_load_explicit(&handlers->buckets[bucket_of(name)], memory_order_acquire);

    while (handler != NULL && strcmp(handler->name, name) != 0)
        handler = handler->next;
    return handler;
}

bool handlers_have(const void *handlers, const char *name)
{
    return handlers_find(handlers, name) != NULL;
}

int handlers_add(struct handlers *handlers, const ws_allocator *memory, const char *name,
                 ws_client_message_callback *callback, void *user_data)
{
    _Atomic(struct handler *) *bucket = &handlers->buckets[bucket_of(name)];
    size_t length = strlen(name);
    struct handler *handler;

    if (handlers_find(handlers, name) != NULL)
        return WS_ERR_ALREADY;
    if (handlers->count >= WS_METHODS_MAX)
        return WS_ERR_LIMIT;
    handler = memory_alloc(memory, sizeof *handler + length + 1);
    if (handler == NULL)
        return WS_ERR_NO_MEMORY;
    handler->callback = callback;
    handler->user_data = user_data;
    atomic_init(&handler->defers, false);
    memcpy(handler->name, name, length + 1);
    handler->next = atomic_load_explicit(bucket, memory_order_relaxed);
    atomic_store_explicit(bucket, handler, memory_order_release);
    handlers->count++;
    return WS_OK;
}

void handlers_free(struct handlers *handlers, const ws_allocator *memory)
{
    for (size_t i = 0; i < HANDLER_BUCKETS; i++) {
        struct handler *handler = atomic_load(&handlers->buckets[i]);

        while (handler != NULL) {
            struct handler *next = handler->next;

            memory_free(memory, handler);
            handler = next;
        }
    }
}
