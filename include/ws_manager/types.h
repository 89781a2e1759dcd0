/* types.h: the opaque types, the id of a connection, names and allocators. */
#ifndef WS_MANAGER_TYPES_H
#define WS_MANAGER_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/export.h>

WS_BEGIN_DECLS

/* The process's manager: directory of users and rooms, event types, statistics. Thread-safe. */
typedef struct ws_manager ws_manager;

/* One event-loop thread's share of a manager. Owned by that thread. */
typedef struct ws_loop ws_loop;

/* An event: type, data, user id. Owned by one thread until it is sent. */
typedef struct ws_event ws_event;

/* What a transport carries: the bytes of one message, immutable, shared, counted. */
typedef struct ws_message ws_message;

/* A connection, by loop, slot and generation. It is a plain number: copy it, keep it, hand it
 * to other threads. Once the connection is gone, the id names nothing, and never another client
 * (the generation of a loop's slots repeats after 2^32 connections). 0 is never a connection. */
typedef uint64_t ws_conn_id;

#define WS_NAME_MAX 128 /* bytes of a name */

/* Whether a text can be the name of a user, room or event type: 1 to WS_NAME_MAX bytes of UTF-8
 * without control characters (U+0000 to U+001F, U+007F to U+009F), line and paragraph separators
 * (U+2028, U+2029) and characters that reorder text (U+202A to U+202E, U+2066 to U+2069). A name is
 * shown to others and stands in logs, so it must neither end a line nor look like another name. Returns 1 for such a text, else 0, also for NULL. Any thread. */
WS_EXPORT int ws_name_is_valid(const char *name);

/* Memory functions with the meaning of malloc(), realloc() and free(), called from any thread and
 * perhaps with the library's lock held: they must not call the library. */
typedef struct ws_allocator {
    size_t size;
    void *(*malloc)(size_t bytes, void *user_data);
    void *(*realloc)(void *memory, size_t bytes, void *user_data);
    void (*free)(void *memory, void *user_data);
    void *user_data;
} ws_allocator;

WS_END_DECLS

#endif
