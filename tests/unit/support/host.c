/* host.c: an application whose callbacks record their arguments. */
#include "support/host.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"

/* --- the callbacks ------------------------------------------------------------------------- */

/* Checks that the library holds no lock while it calls the host, as the headers promise: otherwise
 * a callback that waits for a lock of the application's could wait forever for a thread that holds
 * that lock and calls the library. */
static void expect_no_lock_held(struct host *host)
{
    ck_assert_int_eq(pthread_mutex_trylock(&host->manager->lock.mutex), 0);
    pthread_mutex_unlock(&host->manager->lock.mutex);
}

static void record(struct host *host, const ws_connection_info *info, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void record(struct host *host, const ws_connection_info *info, const char *format, ...)
{
    char *line = NULL;
    char *log = NULL;
    va_list arguments;

    expect_no_lock_held(host);
    ck_assert_uint_eq(info->size, sizeof *info);
    va_start(arguments, format);
    ck_assert_int_ge(vasprintf(&line, format, arguments), 0);
    va_end(arguments);
    ck_assert_int_ge(asprintf(&log, "%s%s\n", host->log, line), 0);
    free(host->log);
    host->log = log;
    if (host->hook != NULL)
        host->hook(host, info->user_data, line);
    free(line);
}

static const char *name_of(const ws_connection_info *info)
{
    return ((const struct client *)info->user_data)->name;
}

static const char *text_or(const char *text)
{
    return text != NULL ? text : "-";
}

static void on_connect(ws_manager *manager, const ws_connection_info *info, void *user_data)
{
    (void)manager;
    record(user_data, info, "on_connect %s %s", name_of(info), text_or(info->user_id));
}

static void on_disconnect(ws_manager *manager, const ws_connection_info *info, uint16_t code,
                          const char *reason, void *user_data)
{
    (void)manager;
    record(user_data, info, "on_disconnect %s %s %u %s", name_of(info), text_or(info->user_id),
           code, reason);
}

static int authorize_join(ws_manager *manager, const ws_connection_info *info, const char *room,
                          void *user_data)
{
    struct host *host = user_data;

    (void)manager;
    record(host, info, "authorize_join %s %s", name_of(info), room);
    return host->authorize_result;
}

static void on_join(ws_manager *manager, const ws_connection_info *info, const char *room,
                    int result, void *user_data)
{
    (void)manager;
    record(user_data, info, "on_join %s %s %s", name_of(info), room, ws_strerror(result));
}

static void on_leave(ws_manager *manager, const ws_connection_info *info, const char *room,
                     int result, void *user_data)
{
    (void)manager;
    record(user_data, info, "on_leave %s %s %s", name_of(info), room, ws_strerror(result));
}

static int accept_message(ws_manager *manager, const ws_connection_info *info,
                          const ws_client_message *message, void *user_data)
{
    struct host *host = user_data;

    (void)manager;
    ck_assert_uint_eq(strlen(message->data), message->length);
    host->answer = message->answer;
    record(host, info, "accept_message %s %s %s", name_of(info), text_or(message->room),
           message->data);
    return host->message_result;
}

static void on_raw(ws_manager *manager, const ws_connection_info *info, const void *data,
                   size_t length, int is_text, void *user_data)
{
    (void)manager;
    record(user_data, info, "on_raw %s %s %.*s", name_of(info), is_text ? "text" : "binary",
           (int)length, (const char *)data);
}

static int64_t host_clock(void *user_data)
{
    return ((struct host *)user_data)->clock_ms;
}

static void host_wake(void *user_data)
{
    struct host *host = user_data;

    if (host->has_threads) /* one of them may hold the lock */
        return;
    expect_no_lock_held(host);
    host->n_wakes++;
}

/* --- life ---------------------------------------------------------------------------------- */

void host_init(struct host *host)
{
    memset(host, 0, sizeof *host);
    test_memory_init(&host->memory);
    host->log = strdup("");
    ws_manager_options_init(&host->options);
    host->options.on_connect = on_connect;
    host->options.on_disconnect = on_disconnect;
    host->options.authorize_join = authorize_join;
    host->options.on_join = on_join;
    host->options.on_leave = on_leave;
    host->options.accept_message = accept_message;
    host->options.on_raw = on_raw;
    host->options.user_data = host;
    host->options.clock = host_clock;
    host->options.allocator = &host->memory.allocator;
    host->options.presence_events = WS_PRESENCE_OFF;
}

void host_without_callbacks(struct host *host)
{
    host->options.on_connect = NULL;
    host->options.on_disconnect = NULL;
    host->options.authorize_join = NULL;
    host->options.on_join = NULL;
    host->options.on_leave = NULL;
    host->options.accept_message = NULL;
    host->options.on_raw = NULL;
}

void host_with_threads(struct host *host)
{
    host_without_callbacks(host);
    host->has_threads = true;
}

void host_start(struct host *host)
{
    ws_loop_options options;

    ws_loop_options_init(&options);
    options.wake = host_wake;
    options.user_data = host;
    ck_assert_int_eq(ws_manager_new(&host->options, &host->manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(host->manager, &options, host->now_ms, &host->loop), WS_OK);
}

void host_open(struct host *host)
{
    host_init(host);
    host_start(host);
}

void host_close(struct host *host)
{
    host->hook = NULL;
    ws_loop_free(host->loop);
    ws_manager_free(host->manager);
    ck_assert_int_eq(host->memory.n_blocks, 0);
    free(host->log);
    host->log = NULL;
}

void host_run(struct host *host)
{
    while (ws_loop_run(host->loop, host->now_ms) == host->now_ms)
        continue;
}

void host_expect_log(struct host *host, const char *expected)
{
    ck_assert_str_eq(host->log, expected);
    host_forget_log(host);
}

void host_forget_log(struct host *host)
{
    host->log[0] = '\0';
}

/* --- emitting ------------------------------------------------------------------------------ */

void emit_number(struct host *host, const char *room, int number)
{
    char data[32];
    ws_event *event;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    ck_assert_int_eq(ws_event_new(host->manager, "notification", data, strlen(data), &event),
                     WS_OK);
    ck_assert_int_eq(room != NULL
                         ? ws_manager_broadcast_to_room(host->manager, room, event, NULL, 0)
                         : ws_manager_broadcast(host->manager, event, NULL, 0),
                     WS_OK);
    ws_event_free(event);
}

const char *number_message(int position, const char *room, int number)
{
    static char texts[16][256];
    static unsigned next;
    char *text = texts[next++ % 16];

    snprintf(text, sizeof texts[0],
             "{\"id\":\"E.%d\",\"type\":\"notification\",\"data\":{\"n\":%d},"
             "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null%s%s%s}",
             position, number, room != NULL ? ",\"room\":\"" : "", room != NULL ? room : "",
             room != NULL ? "\"" : "");
    return text;
}
