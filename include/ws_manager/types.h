/** @file
 * The opaque types, and what holds for every function of the library.
 *
 * @par NULL
 * A pointer may be NULL only where its description says so. A function that gets NULL elsewhere
 * has no effect. It then returns #WS_ERR_INVALID if it returns a result, NULL if it returns a
 * pointer, #WS_NO_DEADLINE if it returns a deadline, and otherwise 0. Each `_free` function
 * accepts NULL and does nothing. A list of results mentions NULL only if #WS_ERR_INVALID has no
 * other cause.
 *
 * @par Results
 * A function that can fail returns #WS_OK or a negative value of enum ws_error. After an error
 * nothing has changed, nothing was sent, and no output was set, with these exceptions:
 *
 * - ws_server_answer() and ws_server_answer_later() answer with 500 or 503 after some errors, and
 *   ws_server_answer_later() always frees the ticket.
 * - ws_manager_receive() ends the connection after #WS_ERR_NO_MEMORY.
 * - ws_server_start() sets the server to NULL.
 *
 * @par Texts
 * A text is UTF-8. Without a length beside it, it is NUL-terminated. The library copies the
 * texts and structs that it is given, unless a description says otherwise.
 *
 * @par Names
 * Users, rooms and event types have names: ws_name_is_valid().
 *
 * @par Options
 * A struct of options begins with its size, which its init function sets together with the
 * defaults. A program that was compiled with older headers keeps working: options that it does
 * not know have their defaults. A library that is older than the program refuses an option that
 * it does not know (a byte other than 0 beyond its own struct) with #WS_ERR_INVALID.
 *
 * @code
 * ws_manager_options options;
 *
 * ws_manager_options_init(&options);
 * options.max_connections = 500;
 * result = ws_manager_new(&options, &manager);
 * @endcode
 *
 * @par Callbacks
 * The type of a callback is named `ws_NAME_callback`. A callback named `on_NAME` is notified of
 * an event and returns nothing. A callback named by a verb makes a decision or performs a task
 * for the library. A type that several members share is named for its argument. `user_data` is
 * the application's pointer, which the library passes on and never dereferences.
 */
#ifndef WS_MANAGER_TYPES_H
#define WS_MANAGER_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/export.h>

WS_BEGIN_DECLS

/** A directory of connections, users and rooms, with event types and statistics. Any thread may
 * use it. */
typedef struct ws_manager ws_manager;

/** One event-loop thread's share of a manager. It belongs to that thread. */
typedef struct ws_loop ws_loop;

/** One WebSocket, from its first byte to its last (websocket.h). It belongs to the thread of its
 * loop. */
typedef struct ws_websocket ws_websocket;

/** An event: its type, its data and the user that it is about. It belongs to one thread until
 * it is sent. */
typedef struct ws_event ws_event;

/** The bytes of one message, which a transport carries: immutable, shared and counted. */
typedef struct ws_message ws_message;

/** The id of a connection: a number, which may be copied, kept and passed between threads.
 *
 * The id of a connection that has ended is not reused: the generation within the id repeats
 * only after 2^32 connections of a loop. 0 is never the id of a connection.
 */
typedef uint64_t ws_conn_id;

/** The longest name of a user, room or event type, in bytes. */
#define WS_NAME_MAX 128

/** Whether a text can be the name of a user, room or event type.
 *
 * A name has 1 to #WS_NAME_MAX bytes of UTF-8. Names are shown to other users and written to
 * logs, so a name must neither end a line nor look like another name. It has no control characters
 * (U+0000 to U+001F, U+007F to U+009F), no line and paragraph separators (U+2028, U+2029), and
 * no characters that reorder text (U+202A to U+202E, U+2066 to U+2069).
 *
 * @param name  the text, or NULL
 *
 * @return 1 if it can be a name, otherwise 0
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_name_is_valid(const char *name);

/** Makes a thread of the host call the run function soon: ws_loop_run() or ws_redis_run().
 *
 * For example it writes to an eventfd, or calls uv_async_send(). It must not call this library.
 *
 * @param user_data  that of the options
 *
 * @threads Any thread, without a lock held. It is called once for all calls between two runs.
 */
typedef void ws_wake_callback(void *user_data);

/** Memory functions with the meaning of malloc(), realloc() and free().
 *
 * Any thread calls them, in part with a lock of the library held: they must not call the
 * library. `user_data` is the member of that name.
 */
typedef struct ws_allocator {
    size_t size; /**< `sizeof(ws_allocator)` */

    void *(*malloc)(size_t bytes, void *user_data);                /**< required */
    void *(*realloc)(void *memory, size_t bytes, void *user_data); /**< required */
    void (*free)(void *memory, void *user_data);                   /**< required */

    void *user_data; /**< passed to the functions; NULL if they need none */
} ws_allocator;

WS_END_DECLS

#endif
