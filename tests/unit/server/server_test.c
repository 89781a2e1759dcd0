/* server_test.c: a server as an application uses it: where it listens, who answers which
 * request, now or later, what its clients receive, and its end. Its limits are tested with the
 * example backend (e2e/). */
#include <ws_manager/server.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <ws_manager/ws_manager.h>

#include "support/suite.h"
#include "support/threads.h"

#include "running_server.h"

enum { FIRST_PASSED_FD = 3 };

static atomic_int n_data; /* of clients, that is not freed */
static atomic_int n_stopped;
static atomic_int n_turns;
static atomic_int n_threads;
static atomic_int n_asked;

static void set_up(void)
{
    n_data = n_stopped = n_turns = n_threads = n_asked = 0;
    running_server_set_up();
}

/* --- requests ------------------------------------------------------------------------ */

START_TEST(it_answers_its_own_paths)
{
    options.health_path = "/healthz";
    options.metrics_path = "/metrics";
    start();
    ck_assert(begins(ask("GET /healthz", ""), "HTTP/1.1 200 "));
    ck_assert_ptr_nonnull(strstr(answer, "{\"status\":\"ok\"}"));
    ck_assert(begins(ask("GET /metrics", ""), "HTTP/1.1 200 "));
    ck_assert_ptr_nonnull(strstr(answer, "\nws_server_sockets "));
    ck_assert(begins(ask("GET /other", ""), "HTTP/1.1 404 "));
    ck_assert(begins(ask("POST /healthz", ""), "HTTP/1.1 404 "));
    end();
}
END_TEST

START_TEST(operators_have_a_listener_of_their_own)
{
    options.health_path = "/healthz";
    options.admin_listen = "127.0.0.1:0";
    start();
    ck_assert(begins(ask("GET /healthz", ""), "HTTP/1.1 404 "));
    ck_assert(begins(ask_at(connect_tcp(ws_server_admin_url(server)), "GET /healthz", ""),
                     "HTTP/1.1 200 "));
    ck_assert(begins(ask_at(connect_tcp(ws_server_admin_url(server)), "GET /events", ""),
                     "HTTP/1.1 404 "));
    end();
}
END_TEST

/* Answers with what was asked for. */
static void repeat(ws_server_request *request, void *user_data)
{
    static const ws_header headers[] = {{"X-One", "1"}, {"Cache-Control", "no-cache"}};
    char address[64];
    char text[512];
    ws_server_response response;
    ws_header first;
    size_t length;
    const char *body = ws_server_request_body(request, &length);

    (void)user_data;
    ws_server_request_address(request, address, sizeof address);
    ck_assert_int_eq(ws_server_request_header_at(request, 0, &first), WS_OK);
    snprintf(text, sizeof text, "%s|%s|%s|%s|%s=%s|%s|%.*s|%s",
             ws_server_request_method(request), ws_server_request_target(request),
             ws_server_request_path(request), ws_server_request_query(request), first.name,
             first.value, ws_server_request_header(request, "host"), (int)length, body,
             address);
    ws_server_response_init(&response);
    response.status = 202;
    response.content_type = "text/plain";
    response.headers = headers;
    response.n_headers = 2;
    response.body = strdup(text);
    response.length = strlen(text);
    response.free_body = free;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_OK);
    response.body = strdup("again");
    response.length = 5;
    ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_ALREADY);
}

START_TEST(the_application_answers_other_requests)
{
    options.on_request = repeat;
    start();
    ck_assert(begins(ask("PUT /a/b?c=d", "body"), "HTTP/1.1 202 "));
    ck_assert_ptr_nonnull(strstr(
        answer, "\r\n\r\nPUT|/a/b?c=d|/a/b|c=d|Host=localhost|localhost|body|127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\nX-One: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\nCache-Control: no-cache\r\n"));
    ck_assert_ptr_null(strstr(answer, "no-store"));
    end();
}
END_TEST

/* A header that would end its line; a status that is none; or no answer at all. */
static void answer_badly(ws_server_request *request, void *user_data)
{
    static const ws_header forged = {"X-One", "1\r\nX-Two: 2"};
    ws_server_response response;

    (void)user_data;
    ws_server_response_init(&response);
    if (strcmp(ws_server_request_path(request), "/header") == 0) {
        response.headers = &forged;
        response.n_headers = 1;
        ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_INVALID);
    } else if (strcmp(ws_server_request_path(request), "/status") == 0) {
        response.status = 101;
        ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_INVALID);
    }
}

START_TEST(an_answer_that_cannot_be_sent_is_500)
{
    static const char *const paths[] = {"GET /header", "GET /status", "GET /none"};

    options.on_request = answer_badly;
    start();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ck_assert(begins(ask(paths[i], ""), "HTTP/1.1 500 "));
        ck_assert_ptr_null(strstr(answer, "X-Two"));
    }
    end();
}
END_TEST

static int accept_some(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    if (strcmp(ws_server_request_path(request), "/own") == 0) {
        ws_server_response_init(&response);
        response.status = 401;
        ws_server_answer(request, &response);
        return WS_ERR_FORBIDDEN;
    }
    return strcmp(ws_server_request_path(request), "/no") == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

START_TEST(a_refused_request_does_not_reach_the_application)
{
    int fd;

    options.accept_request = accept_some;
    options.on_request = repeat;
    start();
    ck_assert(begins(ask("GET /yes", ""), "HTTP/1.1 202 "));
    ck_assert(begins(ask("GET /no", ""), "HTTP/1.1 403 "));
    ck_assert(begins(ask("GET /own", ""), "HTTP/1.1 401 "));
    /* It is refused before its body comes. */
    fd = connect_tcp(ws_server_url(server));
    send_text(fd, "POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
    ck_assert(begins(receive_until(fd, "\r\n\r\n"), "HTTP/1.1 403 "));
    close(fd);
    end();
}
END_TEST

/* --- answers that come later ----------------------------------------------------------- */

static ws_server_ticket *_Atomic ticket;

static void defer(ws_server_request *request, void *user_data)
{
    ws_server_ticket *made;
    ws_server_response response;

    (void)user_data;
    ck_assert_int_eq(ws_server_defer(request, &made), WS_OK);
    ws_server_response_init(&response);
    ck_assert_int_eq(ws_server_answer(request, &response), WS_ERR_ALREADY);
    ck_assert_int_eq(ws_server_defer(request, &made), WS_ERR_ALREADY);
    atomic_store(&ticket, made);
}

static ws_server_ticket *await_ticket(void)
{
    ws_server_ticket *made = NULL;

    while (made == NULL)
        made = atomic_exchange(&ticket, NULL);
    return made;
}

static void answer_later(ws_server_ticket *made, const char *text)
{
    ws_server_response response;

    ws_server_response_init(&response);
    response.body = text;
    response.length = strlen(text);
    ck_assert_int_eq(ws_server_answer_later(made, &response), WS_OK);
}

START_TEST(another_thread_answers_later)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd;

    options.on_request = defer;
    start();
    fd = connect_tcp(ws_server_url(server));
    for (int i = 0; i < 3; i++) { /* of one connection, one after the other */
        send_text(fd, request);
        answer_later(await_ticket(), "the answer");
        ck_assert(begins(receive_until(fd, "the answer"), "HTTP/1.1 200 "));
    }
    send_text(fd, request);
    ck_assert_int_eq(ws_server_answer_later(await_ticket(), NULL), WS_OK);
    ck_assert(begins(receive_until(fd, "\r\n\r\n"), "HTTP/1.1 503 "));
    close(fd);
    end();
}
END_TEST

START_TEST(an_answer_may_come_when_its_client_or_the_server_is_gone)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct linger at_once = {.l_onoff = 1};
    ws_server_ticket *first;
    ws_server_ticket *second;
    ws_server_stats stats = {.size = sizeof stats, .sockets = 1};
    int fd;

    options.on_request = defer;
    options.stop_timeout_ms = 100;
    start();
    fd = connect_tcp(ws_server_url(server));
    send_text(fd, request);
    first = await_ticket();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    while (stats.sockets > 0)
        ck_assert_int_eq(ws_server_get_stats(server, &stats), WS_OK);
    answer_later(first, "nobody reads it");
    fd = connect_tcp(ws_server_url(server));
    send_text(fd, request);
    second = await_ticket();
    end();
    answer_later(second, "nobody sends it");
    close(fd);
}
END_TEST

/* Each of them, as long as its client is there, has a request that waits; they are all gone. */
static struct {
    ws_server_ticket *list[WS_SERVER_HTTP_MAX];
    _Atomic size_t count;
} waiting;

static void defer_or_refuse(ws_server_request *request, void *user_data)
{
    ws_server_response response;
    ws_server_ticket *made;
    int result = ws_server_defer(request, &made);

    (void)user_data;
    if (result == WS_OK) {
        waiting.list[waiting.count] = made;
        waiting.count++;
        return;
    }
    ck_assert_int_eq(result, WS_ERR_LIMIT);
    ws_server_response_init(&response);
    response.status = 503;
    ws_server_answer(request, &response);
}

START_TEST(requests_of_clients_that_are_gone_have_a_limit)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: h\r\n\r\n";

    waiting.count = 0;
    options.threads = 1;
    options.on_request = defer_or_refuse;
    start();
    for (size_t i = 0; i < WS_SERVER_HTTP_MAX; i++) {
        int fd = connect_tcp(ws_server_url(server));

        send_text(fd, request);
        while (waiting.count == i)
            sched_yield();
        close(fd);
    }
    ck_assert(begins(ask("GET /later", ""), "HTTP/1.1 503 "));
    answer_later(waiting.list[0], "nobody reads it");
    ck_assert_uint_eq(waiting.count, WS_SERVER_HTTP_MAX);
    for (size_t i = 1; i < WS_SERVER_HTTP_MAX; i++)
        answer_later(waiting.list[i], "nobody reads it");
    waiting.count = 0;
    end();
}
END_TEST

/* --- clients ------------------------------------------------------------------------- */

static void open_websocket(int fd, const char *target)
{
    char request[512];

    snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        target);
    send_text(fd, request);
    receive_until(fd, "welcome");
}

START_TEST(clients_receive_emitted_events)
{
    int websocket;
    int stream;

    start();
    websocket = connect_tcp(ws_server_url(server));
    open_websocket(websocket, "/ws");
    stream = connect_tcp(ws_server_url(server));
    send_text(stream, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    receive_until(stream, "welcome");
    ck_assert_int_eq(ws_manager_emit_order_created(manager, "{\"n\":7}", 7), WS_OK);
    receive_until(websocket, "{\"n\":7}");
    receive_until(stream, "{\"n\":7}");
    ck_assert(begins(ask("GET /socket.io/?EIO=4&transport=polling", ""), "HTTP/1.1 200 "));
    close(websocket);
    close(stream);
    end();
}
END_TEST

static int accept_with_data(ws_handshake *handshake, void *user_data)
{
    ws_server_client *client = ws_server_client_of(handshake);
    char address[64];

    (void)user_data;
    ws_server_client_address(client, address, sizeof address);
    ck_assert_str_eq(address, "127.0.0.1");
    ck_assert_str_eq(ws_server_request_path(ws_server_client_request(client)), "/mine");
    ck_assert_ptr_null(ws_server_client_scheme(client));
    ck_assert_ptr_null(ws_server_client_data(client));
    ws_server_client_set_data(client, &n_data);
    ws_handshake_set_user_data(handshake, client);
    atomic_fetch_add(&n_data, 1);
    return WS_OK;
}

static void free_data(void *data, void *user_data)
{
    (void)user_data;
    ck_assert_ptr_eq(data, &n_data);
    atomic_fetch_sub(&n_data, 1);
}

static int close_client(ws_manager *ours, const ws_connection_info *connection,
                        const ws_client_message *message, void *user_data)
{
    (void)ours;
    (void)message;
    (void)user_data;
    ck_assert_ptr_eq(ws_server_client_data(connection->user_data), &n_data);
    return ws_server_client_close(connection->user_data, 4001, "asked for");
}

START_TEST(data_of_a_client_lives_as_long_as_its_socket)
{
    ws_endpoint_options endpoint_options;
    ws_manager_options manager_options;
    ws_server_route route = {.path = "/mine", .kind = WS_SERVER_WEBSOCKET};
    static const unsigned char message[] = {0x81, 0x9B, 0, 0, 0, 0};
    int fd;

    ws_manager_free(manager);
    ws_manager_options_init(&manager_options);
    manager_options.accept_message = close_client;
    ck_assert_int_eq(ws_manager_new(&manager_options, &manager), WS_OK);
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.accept_handshake = accept_with_data;
    ck_assert_int_eq(ws_endpoint_new(manager, &endpoint_options, &route.endpoint), WS_OK);
    options.routes = &route;
    options.n_routes = 1;
    options.free_data = free_data;
    start();
    ck_assert(begins(ask("GET /ws", ""), "HTTP/1.1 404 "));
    fd = connect_tcp(ws_server_url(server));
    open_websocket(fd, "/mine");
    ck_assert_int_eq(atomic_load(&n_data), 1);
    ck_assert_int_eq(send(fd, message, sizeof message, 0), sizeof message);
    send_text(fd, "{\"type\":\"message\",\"data\":1}");
    receive_until(fd, "asked for");
    close(fd);
    while (atomic_load(&n_data) > 0)
        continue;
    ws_server_free(server);
    ws_endpoint_free(route.endpoint);
    ws_manager_free(manager);
}
END_TEST

static bool has(size_t length, const char *text)
{
    return memmem(answer, length, text, strlen(text)) != NULL;
}

/* Whether a page's request is let in. A browser's WebSocket is refused when it is open. */
static bool lets_in(const char *target, const char *host, const char *origin)
{
    static const char upgrade[] =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    bool is_websocket = strcmp(target, "/ws") == 0;
    int fd = connect_tcp(ws_server_url(server));
    size_t length = 0;
    char request[512];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s\r\n", target,
             host, origin[0] != '\0' ? "Origin: " : "", origin, origin[0] != '\0' ? "\r\n" : "",
             is_websocket ? upgrade : "");
    send_text(fd, request);
    while (!has(length, "may not connect") &&
           !has(length, is_websocket ? "welcome" : "200 OK")) {
        ssize_t part = recv(fd, answer + length, sizeof answer - length, 0);

        ck_assert_int_gt(part, 0);
        length += (size_t)part;
    }
    close(fd);
    return !has(length, "may not connect");
}

START_TEST(pages_of_other_origins_may_not_connect)
{
    static const char *const targets[] = {"/ws", "/events",
                                          "/socket.io/?EIO=4&transport=polling"};
    static const char *const allowed[] = {"https://example.com"};
    static const struct {
        const char *host;
        const char *origin;
        bool is_allowed;
        bool is_allowed_by_name;
    } pages[] = {
        {"localhost:9000", "http://localhost:9000", true, true},
        {"127.0.0.1:9000", "http://127.0.0.1:9000", true, true},
        {"127.0.0.1:9000", "", true, true},
        {"127.0.0.1:9000", "http://evil.example", false, false},
        {"evil.example", "http://evil.example", false, false}, /* DNS rebinding */
        {"example.com", "https://example.com", false, true},
    };

    for (int with_names = 0; with_names < 2; with_names++) {
        if (with_names)
            set_up(); /* a manager that was drained takes no clients any more */
        options.origins = allowed;
        options.n_origins = (size_t)with_names;
        start();
        for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
            for (size_t j = 0; j < sizeof targets / sizeof targets[0]; j++) {
                bool expected = with_names ? pages[i].is_allowed_by_name : pages[i].is_allowed;

                ck_assert_msg(lets_in(targets[j], pages[i].host, pages[i].origin) == expected,
                              "%s at %s from '%s'", targets[j], pages[i].host, pages[i].origin);
            }
        /* Browsers send no Origin with a GET to the page's own host, even if that was rebound. */
        ck_assert(!lets_in("/events", "evil.example", ""));
        ck_assert(!lets_in("/socket.io/?EIO=4&transport=polling", "evil.example", ""));
        end();
    }
}
END_TEST

/* --- where it listens ------------------------------------------------------------------ */

static void leave_a_dead_socket(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

START_TEST(it_listens_at_a_unix_socket)
{
    char folder[] = "/tmp/server-test-XXXXXX";
    char path[64];
    char text[80];
    ws_server *second;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(text, sizeof text, "unix:%s", path);
    leave_a_dead_socket(path);
    options.listen = text;
    options.on_request = repeat;
    start();
    ck_assert_str_eq(ws_server_url(server), text);
    ck_assert(begins(ask_at(connect_unix(path), "GET /", ""), "HTTP/1.1 202 "));
    ck_assert_ptr_nonnull(strstr(answer, "|127.0.0.1"));
    ck_assert_int_eq(ws_server_start(manager, &options, &second), WS_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(problem, strerror(EADDRINUSE)));
    ck_assert(begins(ask_at(connect_unix(path), "GET /", ""), "HTTP/1.1 202 "));
    end();
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(systemd_passes_it_a_socket)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char pid[16];
    int former = fcntl(FIRST_PASSED_FD, F_DUPFD, FIRST_PASSED_FD + 1); /* -1: it is free */
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    options.listen = "systemd";
    options.on_request = repeat;
    ck_assert_int_eq(ws_server_start(manager, &options, &server), WS_ERR_SYSTEM);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(dup2(fd, FIRST_PASSED_FD), FIRST_PASSED_FD);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    start();
    ck_assert(begins(ask("GET /", ""), "HTTP/1.1 202 "));
    end();
    unsetenv("LISTEN_PID");
    if (fd != FIRST_PASSED_FD)
        close(fd);
    if (former >= 0)
        ck_assert_int_eq(dup2(former, FIRST_PASSED_FD), FIRST_PASSED_FD);
}
END_TEST

START_TEST(an_address_in_use_is_refused)
{
    char address[64];
    ws_server *second;

    start();
    snprintf(address, sizeof address, "127.0.0.1%s", strrchr(ws_server_url(server), ':'));
    options.listen = address;
    ck_assert_int_eq(ws_server_start(manager, &options, &second), WS_ERR_SYSTEM);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(strstr(problem, strerror(EADDRINUSE)));
    end();
}
END_TEST

static void ignore_input(void *user_data)
{
    (void)user_data;
}

START_TEST(a_start_that_fails_names_what_failed)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    options.admin_listen = "unix:/nonexistent/socket";
    ck_assert_int_eq(ws_server_start(manager, &options, &server), WS_ERR_SYSTEM);
    ck_assert(begins(problem, "cannot listen on unix:/nonexistent/socket: "));
    options.admin_listen = NULL;
    options.fd = file; /* epoll has no events of files */
    options.on_fd = ignore_input;
    ck_assert_int_eq(ws_server_start(manager, &options, &server), WS_ERR_SYSTEM);
    ck_assert(begins(problem, "cannot wait for input at the descriptor `fd`: "));
    close(file);
}
END_TEST

START_TEST(options_are_checked)
{
    static const char *const no_ranges[] = {"10.0.0.0/99"};
    ws_server_options bad[9];
    static const ws_server_route no_endpoint = {.path = "/ws"};
    const size_t n = sizeof bad / sizeof bad[0];

    for (size_t i = 0; i < n; i++)
        bad[i] = options;
    bad[0].listen = "nowhere";
    bad[1].listen = "unix:";
    bad[2].admin_listen = "127.0.0.1:99999";
    bad[3].threads = 257;
    bad[4].tls_cert_file = "/nonexistent";
    bad[5].trusted_proxies = no_ranges;
    bad[5].n_trusted_proxies = 1;
    bad[6].health_path = "healthz";
    bad[7].fd = 0;
    bad[8].routes = &no_endpoint;
    bad[8].n_routes = 1;
    for (size_t i = 0; i < n; i++) {
        problem[0] = '\0';
        ck_assert_int_eq(ws_server_start(manager, &bad[i], &server), WS_ERR_INVALID);
        ck_assert_ptr_null(server);
        ck_assert_str_ne(problem, "");
        ck_assert_int_eq(ws_server_check_options(&bad[i]), i == n - 1 ? WS_OK : WS_ERR_INVALID);
    }
    ws_manager_free(manager);
}
END_TEST

/* --- the end ------------------------------------------------------------------------- */

static int pipe_ends[2];

static void note_stopped(void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&n_stopped, 1);
}

static void note_thread(uint32_t thread, void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&n_threads, 1 + (int)thread);
}

static uint64_t note_turn(uint32_t thread, uint64_t now_ms, void *user_data)
{
    (void)thread;
    (void)now_ms;
    (void)user_data;
    atomic_fetch_add(&n_turns, 1);
    return WS_NO_DEADLINE;
}

static void drain_by_pipe(void *user_data)
{
    char byte;

    (void)user_data;
    if (read(pipe_ends[0], &byte, 1) == 1)
        ws_server_drain(server);
}

/* At the third time. */
static int confirm_stop(void *user_data)
{
    (void)user_data;
    return atomic_fetch_add(&n_asked, 1) == 2;
}

START_TEST(it_stops_when_clients_have_their_queued_messages)
{
    const char *last;
    const char *reason;
    size_t length;
    int fd;

    options.on_stopped = note_stopped;
    options.on_thread = note_thread;
    options.run_timers = note_turn;
    options.confirm_stop = confirm_stop;
    start();
    fd = connect_tcp(ws_server_url(server));
    open_websocket(fd, "/ws");
    ck_assert_int_eq(ws_manager_emit_order_created(manager, "{\"last\":1}", 10), WS_OK);
    ck_assert_int_eq(ws_server_is_stopping(server), 0);
    ws_server_drain(server);
    ck_assert_int_eq(ws_server_is_stopping(server), 1);
    length = receive(fd, "the server restarts");
    close(fd);
    last = memmem(answer, length, "{\"last\":1}", 10);
    reason = memmem(answer, length, "the server restarts", strlen("the server restarts"));
    ck_assert(last != NULL && reason != NULL && last < reason);
    ws_server_stop(server);
    ck_assert_int_eq(atomic_load(&n_stopped), 1);
    ck_assert_int_eq(atomic_load(&n_threads), 1 + 2);
    ck_assert_int_gt(atomic_load(&n_turns), 0);
    ck_assert_int_eq(atomic_load(&n_asked), 3);
    ck_assert_str_ne(ws_server_url(server), "");
    end();
}
END_TEST

START_TEST(the_caller_runs_the_first_thread)
{
    options.caller_runs = 1;
    options.threads = 1;
    options.on_stopped = note_stopped;
    options.on_fd = drain_by_pipe;
    ck_assert_int_eq(pipe(pipe_ends), 0);
    options.fd = pipe_ends[0];
    start();
    ck_assert_int_eq(write(pipe_ends[1], "x", 1), 1);
    ws_server_run(server); /* until the pipe is read */
    ck_assert_int_eq(atomic_load(&n_stopped), 1);
    end();
}
END_TEST

static void *run_first_thread(void *data)
{
    (void)data;
    ws_server_run(server);
    return NULL;
}

START_TEST(stopping_waits_for_the_callers_thread)
{
    pthread_t runner;

    options.caller_runs = 1;
    options.on_stopped = note_stopped;
    options.on_thread = note_thread;
    options.confirm_stop = confirm_stop; /* so that this thread ends last */
    start();
    ck_assert_int_eq(pthread_create(&runner, NULL, run_first_thread, NULL), 0);
    while (atomic_load(&n_threads) < 1 + 2)
        continue;
    ws_server_stop(server);
    ck_assert_int_eq(atomic_load(&n_stopped), 1);
    end();
    pthread_join(runner, NULL);
}
END_TEST

START_TEST(a_woken_thread_takes_a_turn)
{
    int before;

    options.threads = 1;
    options.run_timers = note_turn;
    start();
    before = atomic_load(&n_turns);
    ws_server_wake(server, 0);
    while (atomic_load(&n_turns) == before)
        continue;
    ws_server_wake(server, 1); /* there is none */
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_answers_its_own_paths,
        operators_have_a_listener_of_their_own,
        the_application_answers_other_requests,
        an_answer_that_cannot_be_sent_is_500,
        a_refused_request_does_not_reach_the_application,
        another_thread_answers_later,
        an_answer_may_come_when_its_client_or_the_server_is_gone,
        requests_of_clients_that_are_gone_have_a_limit,
        clients_receive_emitted_events,
        data_of_a_client_lives_as_long_as_its_socket,
        pages_of_other_origins_may_not_connect,
        it_listens_at_a_unix_socket,
        systemd_passes_it_a_socket,
        an_address_in_use_is_refused,
        a_start_that_fails_names_what_failed,
        options_are_checked,
        it_stops_when_clients_have_their_queued_messages,
        the_caller_runs_the_first_thread,
        stopping_waits_for_the_callers_thread,
        a_woken_thread_takes_a_turn,
        NULL,
    };

    Suite *suite = suite_create("server");
    TCase *test_case = tcase_create("server");

    tcase_add_checked_fixture(test_case, set_up, NULL);
    for (size_t i = 0; tests[i] != NULL; i++)
        tcase_add_test(test_case, tests[i]);
    suite_add_tcase(suite, test_case);
    return suite_run_all(suite);
}
