/* handlers.h: the callbacks that the application has registered by name: for methods, and for its
 * own types of messages.
 *
 * They are found without a lock: none is ever removed. Added under the manager's lock. */
#ifndef WS_CORE_HANDLERS_H
#define WS_CORE_HANDLERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/callbacks.h>

#include "base/memory.h"

enum { HANDLER_BUCKETS = 64 };

struct handler {
    struct handler *next; /* in its bucket */
    ws_client_message_callback *callback;
    void *user_data;
    _Atomic bool defers; /* has returned WS_DEFERRED, once at least */
    char name[];
};

struct handlers {
    size_t count;
    _Atomic(struct handler *) buckets[HANDLER_BUCKETS];
};

void handlers_free(struct handlers *handlers, const ws_allocator *memory);

/* The handler of that name, or NULL. Any thread, without the lock. */
struct handler *handlers_find(const struct handlers *handlers, const char *name);

/* Whether a struct handlers has one of that name. */
bool handlers_have(const void *handlers, const char *name);

/* Errors: WS_ERR_ALREADY, WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int handlers_add(struct handlers *handlers, const ws_allocator *memory, const char *name,
                 ws_client_message_callback *callback, void *user_data);

#endif
