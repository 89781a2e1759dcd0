/* event_types.h: the names of the event types, and the room to which each type is routed.
 *
 * Every emit reads them without a lock: a type is never removed, and whatever was reachable
 * once stays until the end. Changed under the manager's lock. */
#ifndef WS_CORE_EVENTS_EVENT_TYPES_H
#define WS_CORE_EVENTS_EVENT_TYPES_H

#include <stdatomic.h>
#include <stddef.h>

#include <ws_manager/error.h>

#include "base/memory.h"

/* The ten types that every manager has. */
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

enum { EVENT_TYPES_MAX = 1024, EVENT_TYPE_BUCKETS = 256 };

struct event_type {
    struct event_type *next;    /* in its bucket */
    _Atomic(const char *) room; /* events of this type go to this room; NULL: to everyone */
    char name[];
};

/* The name of a room to which a type is, or was, routed. */
struct routed_room {
    struct routed_room *next;
    char name[];
};

struct event_types {
    const ws_allocator *memory;
    size_t count;
    struct routed_room *rooms;
    _Atomic(struct event_type *) buckets[EVENT_TYPE_BUCKETS];
};

/* WS_ERR_NO_MEMORY if not all of the ten could be added; the caller calls event_types_free()
 * then too. */
int event_types_init(struct event_types *types, const ws_allocator *memory);
void event_types_free(struct event_types *types);

/* The type of that name, or NULL. Any thread, without the lock. Read the result's `room` once:
 * another thread may route the type elsewhere meanwhile. */
const struct event_type *event_types_find(const struct event_types *types, const char *name);

int event_types_add(struct event_types *types, const char *name);
int event_types_route(struct event_types *types, const char *name, const char *room);

#endif
