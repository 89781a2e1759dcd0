/* checks_test.c: in builds with checks, wrong use of threads, signals, fork() and the order of
 * freeing is one line in the log, and has no other effect. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ws_manager/transport.h>
#include <ws_manager/ws_manager.h>

#include "base/checked.h"
#include "core/clients/disconnect.h"
#include "support/suite.h"

#if WS_CHECKS

static ws_manager *manager;
static ws_loop *loop;
static ws_endpoint *endpoint;

static unsigned n_lines;
static char last_line[512];

static void note_line(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (level > WS_LOG_WARN)
        return;
    n_lines++;
    strncpy(last_line, line, sizeof last_line - 1);
}

/* One line was written, which begins so. */
static void logged(const char *start)
{
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_msg(strncmp(last_line, start, strlen(start)) == 0, "%s", last_line);
    n_lines = 0;
}

/* The allocator, which may raise a signal as if it had come at that moment. */
static int signal_in_malloc;

static void *interrupted_malloc(size_t bytes, void *user_data)
{
    int number = signal_in_malloc;

    (void)user_data;
    signal_in_malloc = 0;
    if (number != 0)
        raise(number);
    return malloc(bytes);
}

static void *own_realloc(void *block, size_t bytes, void *user_data)
{
    (void)user_data;
    return realloc(block, bytes);
}

static void own_free(void *block, void *user_data)
{
    (void)user_data;
    free(block);
}

static void begin(void)
{
    static const ws_allocator allocator = {
        .size = sizeof allocator,
        .malloc = interrupted_malloc,
        .realloc = own_realloc,
        .free = own_free,
    };
    ws_manager_options options;
    ws_endpoint_options endpoint_options;

    ws_manager_options_init(&options);
    options.log = note_line;
    options.allocator = &allocator;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    ws_endpoint_options_init(&endpoint_options);
    ck_assert_int_eq(ws_endpoint_new(manager, &endpoint_options, &endpoint), WS_OK);
    ws_loop_run(loop, 0);
    n_lines = 0;
}

static void end(void)
{
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
    ck_assert_msg(n_lines == 0, "%s", last_line);
}

static void on_another_thread(void *(*function)(void *data))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, function, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* --- threads --------------------------------------------------------------------------------- */

static ws_websocket *websocket;
static ws_http *http;
static ws_conn_id custom;

static int take_message(ws_message *message, void *transport_data)
{
    (void)message;
    (void)transport_data;
    return WS_OK;
}

static void end_transport(uint16_t code, const char *reason, size_t length,
                          void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    (void)transport_data;
}

static int request(ws_http **made)
{
    ws_http_request options;

    ws_http_request_init(&options);
    options.method = "GET";
    options.target = "/events";
    return ws_http_new(loop, endpoint, NULL, &options, made);
}

/* A client of each kind. */
static void open_all(void)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = take_message, .close = end_transport};
    ws_connect_options options;

    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    ck_assert_int_eq(request(&http), WS_OK);
    ws_connect_options_init(&options);
    options.transport = &transport;
    ck_assert_int_eq(ws_manager_connect(manager, loop, &options, &custom), WS_OK);
    ws_loop_run(loop, 0);
    n_lines = 0;
}

static void *use_http(void *data)
{
    struct iovec iov[1];
    ws_http *other = NULL;

    (void)data;
    ck_assert_int_eq(request(&other), WS_ERR_MISUSE);
    ck_assert_ptr_null(other);
    ck_assert_ptr_null(ws_loop_next_http(loop));
    ck_assert_int_eq(ws_http_receive(http, "b", 1), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_http_end(http), WS_ERR_MISUSE);
    ws_http_eof(http);
    ck_assert_int_eq(ws_http_output(http, iov, 1), 0);
    ck_assert_int_eq(ws_http_sent(http, 0), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_http_close(http, WS_CLOSE_NORMAL, NULL), WS_ERR_MISUSE);
    ws_http_free(http);
    ck_assert_uint_eq(n_lines, 9);
    n_lines = 0;
    return NULL;
}

static void *use_custom(void *data)
{
    (void)data;
    ck_assert_int_eq(ws_manager_receive(manager, custom, "m", 1, 1), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_transport_writable(manager, custom), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_transport_closed(manager, custom, 1006, NULL), WS_ERR_MISUSE);
    ck_assert_uint_eq(n_lines, 3);
    n_lines = 0;
    return NULL;
}

START_TEST(clients_of_each_kind)
{
    begin();
    open_all();
    loop_busy(loop);
    on_another_thread(use_http);
    on_another_thread(use_custom);
    loop_idle(loop);
    ck_assert_int_eq(ws_manager_transport_closed(manager, custom, 1006, NULL), WS_OK);
    ws_websocket_free(websocket);
    ws_http_free(http);
    end();
}
END_TEST

static void *use_the_loop(void *data)
{
    struct iovec iov[1];
    ws_websocket *other = NULL;

    (void)data;
    ck_assert_uint_eq(ws_loop_run(loop, 0), WS_NO_DEADLINE);
    logged("ws_loop_run() was called while another thread uses the loop: ");
    ck_assert_ptr_null(ws_loop_next_output(loop));
    logged("ws_loop_next_output() was called while another thread ");
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &other), WS_ERR_MISUSE);
    ck_assert_ptr_null(other);
    logged("ws_websocket_new() was called while another thread ");
    ck_assert_int_eq(ws_websocket_receive(websocket, "G", 1), WS_ERR_MISUSE);
    logged("ws_websocket_receive() was called while another thread ");
    ck_assert_int_eq(ws_websocket_output(websocket, iov, 1), 0);
    logged("ws_websocket_output() was called while another thread ");
    ck_assert_int_eq(ws_websocket_sent(websocket, 0), WS_ERR_MISUSE);
    logged("ws_websocket_sent() was called while another thread ");
    ws_websocket_eof(websocket);
    logged("ws_websocket_eof() was called while another thread ");
    ck_assert_int_eq(ws_websocket_close(websocket, WS_CLOSE_NORMAL, NULL), WS_ERR_MISUSE);
    logged("ws_websocket_close() was called while another thread ");
    ws_websocket_free(websocket);
    logged("ws_websocket_free() was called while another thread ");
    ws_loop_free(loop);
    logged("ws_loop_free() was called while another thread ");
    ck_assert_int_eq(ws_manager_emit_stock_low(manager, "1", 1), WS_OK);
    return NULL;
}

START_TEST(another_thread_uses_a_loop_meanwhile)
{
    begin();
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    loop_busy(loop);
    on_another_thread(use_the_loop);
    loop_idle(loop);
    ck_assert_uint_eq(n_lines, 0);
    ck_assert_int_eq(ws_websocket_receive(websocket, "G", 1), WS_OK);
    ws_websocket_free(websocket);
    end();
}
END_TEST

static void *stray(void *data)
{
    (void)data;
    ck_assert_int_eq(ws_websocket_receive(websocket, "G", 1), WS_OK);
    logged("ws_websocket_receive() was called on another thread than ws_loop_run(): ");
    ck_assert_int_eq(ws_websocket_receive(websocket, "E", 1), WS_OK);
    return NULL;
}

static void *take_over(void *data)
{
    (void)data;
    ws_loop_run(loop, 0);
    ck_assert_int_eq(ws_websocket_receive(websocket, "G", 1), WS_OK);
    return NULL;
}

START_TEST(another_thread_is_named_once)
{
    begin();
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    on_another_thread(stray);
    ws_websocket_free(websocket);
    end();
}
END_TEST

/* The thread that runs the loop has ended before this one frees what it had. */
START_TEST(a_loop_may_be_handed_over)
{
    begin();
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    on_another_thread(take_over);
    ws_websocket_free(websocket);
    end();
}
END_TEST

/* --- signals --------------------------------------------------------------------------------- */

static int result_in_handler;

static void emit_in_handler(int number)
{
    (void)number;
    result_in_handler = ws_manager_emit_stock_low(manager, "1", 1);
}

START_TEST(a_signal_handler_emits)
{
    begin();
    ck_assert(signal(SIGUSR1, emit_in_handler) != SIG_ERR);
    manager_lock(manager);
    raise(SIGUSR1);
    manager_unlock(manager);
    ck_assert_int_eq(result_in_handler, WS_ERR_MISUSE);
    logged("an event was emitted in a signal handler that interrupted the library: ");

    signal_in_malloc = SIGUSR1;
    result_in_handler = WS_OK;
    ck_assert_int_eq(ws_manager_emit_stock_low(manager, "2", 1), WS_OK);
    ck_assert_int_eq(result_in_handler, WS_ERR_MISUSE);
    logged("an event was emitted within the allocator, or in a signal handler ");
    end();
}
END_TEST

static void call_all(void)
{
    static const ws_answer no_answer;
    ws_event *event = NULL;
    ws_request request;
    char *text;

    ck_assert_int_eq(ws_manager_emit_to_room(manager, "r", "stock_low", "1", 1), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_emit_notification(manager, "m", NULL, "info"), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_event_new(manager, "stock_low", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(manager, event, NULL, 0), WS_ERR_MISUSE);
    ws_event_free(event);
    ck_assert_int_eq(ws_manager_send_text(manager, 1, "t", 1), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_disconnect(manager, 1, WS_CLOSE_NORMAL, NULL), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_join_room(manager, 1, "r"), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_leave_room(manager, 1, "r"), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_reauthorize(manager, 1), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_join_room_of_user(manager, "u", "r"), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_answer(manager, no_answer, NULL, 0), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_answer_error(manager, no_answer, "c", NULL), WS_ERR_MISUSE);
    ws_request_init(&request);
    ck_assert_int_eq(ws_manager_request(manager, 1, &request), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_send_to_processes(manager, "t", "1", 1), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_drain(manager, NULL), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_get_stats(manager, &text, NULL), WS_ERR_MISUSE);
    ck_assert_int_eq(ws_manager_get_metrics(manager, &text, NULL), WS_ERR_MISUSE);
}

START_TEST(each_function_that_any_thread_may_call)
{
    begin();
    manager_lock(manager);
    call_all();
    manager_unlock(manager);
    ck_assert_uint_eq(n_lines, 16);
    n_lines = 0;
    end();
}
END_TEST

static void emit_in_log(int level, const char *line, void *user_data)
{
    note_line(level, line, user_data);
    ck_assert_int_eq(ws_manager_emit_stock_low(manager, "1", 1), WS_ERR_MISUSE);
}

START_TEST(the_log_is_not_called_within_itself)
{
    begin();
    manager->options.log = emit_in_log;
    manager_lock(manager);
    emit_in_handler(0);
    manager_unlock(manager);
    ck_assert_int_eq(result_in_handler, WS_ERR_MISUSE);
    logged("an event was emitted in a signal handler ");
    end();
}
END_TEST

/* --- fork() ---------------------------------------------------------------------------------- */

static pthread_barrier_t barrier;

static void *hold_the_lock(void *data)
{
    (void)data;
    manager_lock(manager);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    manager_unlock(manager);
    return NULL;
}

/* The exit status of a child that emits. */
static int emit_in_child(void)
{
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int result = ws_manager_emit_stock_low(manager, "1", 1);

        _exit(result == WS_OK && n_lines == 0           ? 0
              : result == WS_ERR_FORKED && n_lines == 1 ? 1
                                                        : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(a_child_of_a_process_whose_other_thread_has_the_lock)
{
    pthread_t thread;

    begin();
    ck_assert_int_eq(emit_in_child(), 0);
    ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, hold_the_lock, NULL), 0);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(emit_in_child(), 1);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_barrier_destroy(&barrier);
    end();
}
END_TEST

/* --- the order of freeing -------------------------------------------------------------------- */

START_TEST(a_loop_is_freed_too_early)
{
    begin();
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    ws_loop_free(loop);
    logged("ws_loop_free() was called before 1 WebSockets or HTTP requests of the loop were "
           "freed");
    ws_websocket_free(websocket);
    loop_busy(loop);
    ws_loop_free(loop);
    logged("ws_loop_free() was called within a callback ");
    loop_idle(loop);
    end();
}
END_TEST

START_TEST(a_manager_is_freed_twice)
{
    begin();
    ws_manager_free(manager);
    ws_manager_free(manager);
    logged("ws_manager_free() was called before ");
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        another_thread_uses_a_loop_meanwhile,
        clients_of_each_kind,
        another_thread_is_named_once,
        a_loop_may_be_handed_over,
        a_signal_handler_emits,
        each_function_that_any_thread_may_call,
        the_log_is_not_called_within_itself,
        a_child_of_a_process_whose_other_thread_has_the_lock,
        a_loop_is_freed_too_early,
        a_manager_is_freed_twice,
        NULL,
    };

    return suite_run("checks", tests);
}

#else

int main(void)
{
    return 77;
}

#endif
