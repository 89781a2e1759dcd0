/* types.h: the opaque types, the id of a connection, names and allocators. */
#ifndef WS_MANAGER_TYPES_H
#define WS_MANAGER_TYPES_H

#include <stddef.h>
#include <stdint.h>

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

#define WS_NAME_MAX 128 /* bytes of a user's, room's or event type's name */

/* Memory functions with the meaning of malloc(), realloc() and free(), called from any thread and
 * perhaps with the library's lock held: they must not call the library. */
typedef struct ws_allocator {
    size_t size;
    void *(*malloc)(size_t bytes, void *user_data);
    void *(*realloc)(void *memory, size_t bytes, void *user_data);
    void (*free)(void *memory, void *user_data);
    void *user_data;
} ws_allocator;

#endif
