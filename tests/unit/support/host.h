/* host.h: an application with one manager and one loop, whose callbacks record their arguments, and
 * clients whose transport is memory. For one thread. */
#ifndef SUPPORT_HOST_H
#define SUPPORT_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <check.h>

#include <ws_manager/ws_manager.h>

#include "support/test_memory.h"

struct client;

struct host {
    ws_manager_options options; /* change them between host_init() and host_start() */
    struct test_memory memory;
    ws_manager *manager;
    ws_loop *loop;
    uint64_t now_ms;  /* of the loop */
    int64_t clock_ms; /* the options' clock; starts in 1970 */
    bool has_threads; /* other threads call the manager: wakes are not checked */
    _Atomic unsigned n_wakes;

    char *log; /* a line for each callback, see host_expect_log() */

    int authorize_result;
    int message_result;
    ws_answer answer; /* of the last message */

    /* Called at the end of each callback with its line, for a test's own actions. */
    void (*hook)(struct host *host, struct client *client, const char *line);
    void *hook_data;
};

struct client {
    struct host *host;
    const char *name; /* in the host's log */
    ws_conn_id id;
    char **messages; /* NUL-terminated; the epoch of this run is replaced by "E" */
    size_t n_messages;
    size_t n_read;
    bool last_is_text;
    size_t last_length;
    int send_result;
    int n_closes;
    uint16_t close_code;
    char close_reason[128];
    bool gone; /* the transport must no longer be called */

    /* Called within the transport's functions; may be NULL. */
    void (*on_send)(struct client *client, const char *message);
    void (*on_close)(struct client *client);
    void *hook_data;
};

/* Options with the recording callbacks, a clock that stands still, and no presence. */
void host_init(struct host *host);

/* Before host_start(): nothing is recorded. */
void host_without_callbacks(struct host *host);

/* Before host_start(): nothing is recorded, and other threads than the loop's may call the
 * manager. */
void host_with_threads(struct host *host);

/* Creates the manager and its loop. */
void host_start(struct host *host);

/* host_init() and host_start(). */
void host_open(struct host *host);

/* Frees the loop and the manager, and checks that no memory is left. */
void host_close(struct host *host);

/* Runs the loop until nothing is left to do. */
void host_run(struct host *host);

/* Checks the calls since the last time, a line each, such as "on_join ann orders success\n". */
void host_expect_log(struct host *host, const char *expected);
void host_forget_log(struct host *host);

/* The options of a client in memory, as client_try() uses them. */
void client_options(struct client *client, ws_connect_options *options);

/* Registers a new client with the host's loop; returns the result of ws_manager_connect(). */
int client_try(struct host *host, struct client *client, const char *name, const char *user_id,
               enum ws_protocol protocol);

/* Registers a new client, which must succeed, runs the loop and reads the welcome. */
void client_open(struct host *host, struct client *client, const char *name,
                 const char *user_id);

/* Like client_open(); the client also enters a room. */
void client_open_in(struct host *host, struct client *client, const char *name,
                    const char *room);

/* Frees the messages that the client has received. */
void client_free(struct client *client);

/* The transport is lost: ws_manager_transport_closed() with 1006. */
void client_lose(struct client *client);

/* The client sends a text message. */
void client_say(struct client *client, const char *json);

/* The next unread message, or NULL. */
const char *client_next(struct client *client);

/* Checks that the unread messages are exactly these, up to the NULL. */
void client_expect(struct client *client, ...) __attribute__((sentinel));

/* Returns the number of unread messages, and marks them as read. */
size_t client_count(struct client *client);

/* Emits a "notification" without a user, with data {"n":number}, to everyone or a room. */
void emit_number(struct host *host, const char *room, int number);

/* The message of that event; static text, overwritten after a few calls. */
const char *number_message(int position, const char *room, int number);

/* The text with the manager's epoch replaced by "E"; the caller frees it. */
char *without_epoch(const ws_manager *manager, const char *text, size_t length);

#endif
