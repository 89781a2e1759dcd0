/* event_types.h: the names of the event types, and the room to which a type is routed.
 * Guarded by the manager's lock. */
#ifndef WS_CORE_EVENT_TYPES_H
#define WS_CORE_EVENT_TYPES_H

#include <stddef.h>

#include <ws_manager/error.h>

#include "base/memory.h"
#include "core/uthash.h"

/* The ten types that every manager knows. */
#define EVENT_TYPE_TABLE(X)                                                                    \
    X(order_created)                                                                           \
    X(order_updated)                                                                           \
    X(order_status_changed)                                                                    \
    X(client_created)                                                                          \
    X(client_updated)                                                                          \
    X(inventory_updated)                                                                       \
    X(stock_low)                                                                               \
    X(notification)                                                                            \
    X(user_connected)                                                                          \
    X(user_disconnected)

enum { EVENT_TYPES_MAX = 1024 };

struct event_type {
    UT_hash_handle hh;
    char *room; /* what is emitted of this type goes to this room; NULL: to everyone */
    char name[];
};

struct event_types {
    const ws_allocator *memory;
    struct event_type *table;
};

/* WS_ERR_NO_MEMORY if not all of the ten fit; event_types_free() is then called all the same. */
int event_types_init(struct event_types *types, const ws_allocator *memory);
void event_types_free(struct event_types *types);

/* Types are named by the application, never by clients, so uthash's own hash is enough. */
struct event_type *event_types_find(const struct event_types *types, const char *name);

int event_types_add(struct event_types *types, const char *name);
int event_types_route(struct event_types *types, const char *name, const char *room);

#endif
