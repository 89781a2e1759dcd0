/* process_host.c: one of several processes of an application, which share a Redis: process-host
 * REDIS_URI FOLDER. It serves WebSockets at /ws?user_id=NAME, and does what the lines of its
 * standard input say:
 *
 *     join USER ROOM, leave USER ROOM, reauthorize USER, disconnect USER CODE
 *     emit ROOM JSON    an event "message" for a room
 *     tell JSON         a message to the other processes
 *     ask USER NUMBER   a request to each connection of a user
 *     answer            the requests of clients that wait for it
 *
 * It prints "result N" for each line, "heard JSON" for a message of another process, "gap" when it
 * may have missed some, and "asked NUMBER" and "ended NUMBER RESULT" for each request to a client.
 * A room may not be entered once FOLDER has a file of its name. A client's request `later` becomes
 * an event in the room `done`, and is answered later. */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <ws_manager/redis.h>
#include <ws_manager/server.h>
#include <ws_manager/ws_manager.h>

enum { STDIN, WAKE, FIRST_WATCHED, MAX_FDS = 8, MAX_WAITING = 4096, LINE_SIZE = 512 };

static ws_manager *manager;
static struct pollfd fds[MAX_FDS];
static nfds_t n_fds = FIRST_WATCHED;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ws_answer waiting[MAX_WAITING];
static size_t n_waiting;

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- callbacks ------------------------------------------------------------------------ */

static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    const char *user_id = "anonymous";

    (void)user_data;
    ws_handshake_query_parameter(handshake, "user_id", &user_id, NULL);
    return ws_handshake_set_user_id(handshake, user_id);
}

static int authorize_join(ws_manager *of, const ws_connection_info *connection,
                          const char *room, void *folder)
{
    char path[LINE_SIZE];

    (void)of;
    (void)connection;
    snprintf(path, sizeof path, "%s/%s", (const char *)folder, room);
    return access(path, F_OK) == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

static void on_process_message(ws_manager *of, const ws_process_message *message,
                               void *user_data)
{
    (void)of;
    (void)user_data;
    printf("heard %s\n", message->data);
}

static void on_processes_gap(ws_manager *of, void *user_data)
{
    (void)of;
    (void)user_data;
    puts("gap");
}

static void on_response(ws_manager *of, ws_conn_id connection, const ws_response *response,
                        void *number)
{
    (void)of;
    (void)connection;
    printf("ended %s %d\n", (char *)number, (int)response->result);
    free(number);
}

static int emit(const char *room, const char *json, size_t length)
{
    ws_event *event;
    int result = ws_event_new(manager, "message", json, length, &event);

    if (result == WS_OK)
        result = ws_manager_broadcast_to_room(manager, room, event, NULL, 0);
    ws_event_free(event);
    return result;
}

static int later(ws_manager *of, const ws_connection_info *connection,
                 const ws_client_message *request, void *user_data)
{
    int result = WS_ERR_LIMIT;

    (void)of;
    (void)connection;
    (void)user_data;
    pthread_mutex_lock(&lock);
    if (n_waiting < MAX_WAITING) {
        result = emit("done", request->data, request->length);
        if (result == WS_OK)
            waiting[n_waiting++] = request->answer;
    }
    pthread_mutex_unlock(&lock);
    return result == WS_OK ? WS_DEFERRED : result;
}

/* --- the lines of the standard input -------------------------------------------------- */

static int ask_one(ws_conn_id connection, void *number)
{
    ws_request request;
    int result;

    ws_request_init(&request);
    request.method = "ask";
    request.timeout_ms = 2000; /* some clients never answer */
    request.on_response = on_response;
    request.user_data = strdup(number);
    result = ws_manager_request(manager, connection, &request);
    if (result == WS_OK)
        printf("asked %s\n", (char *)number);
    else
        free(request.user_data);
    return result;
}

static int answer_all(void)
{
    pthread_mutex_lock(&lock);
    while (n_waiting > 0)
        ws_manager_answer(manager, waiting[--n_waiting], NULL, 0);
    pthread_mutex_unlock(&lock);
    return WS_OK;
}

static int carry_out(const char *command, const char *first, char *second)
{
    if (strcmp(command, "join") == 0)
        return ws_manager_join_room_of_user(manager, first, second);
    if (strcmp(command, "leave") == 0)
        return ws_manager_leave_room_of_user(manager, first, second);
    if (strcmp(command, "reauthorize") == 0)
        return ws_manager_reauthorize_user(manager, first);
    if (strcmp(command, "disconnect") == 0)
        return ws_manager_disconnect_user(manager, first, (uint16_t)strtoul(second, NULL, 10),
                                          NULL);
    if (strcmp(command, "emit") == 0)
        return emit(first, second, strlen(second));
    if (strcmp(command, "tell") == 0)
        return ws_manager_send_to_processes(manager, "cache", first, strlen(first));
    if (strcmp(command, "ask") == 0)
        return ws_manager_for_each_connection_of_user(manager, first, ask_one, second);
    return strcmp(command, "answer") == 0 ? answer_all() : WS_ERR_UNKNOWN_TYPE;
}

/* False at the end of the input. */
static bool read_line(void)
{
    char line[LINE_SIZE];
    char command[32];
    char first[LINE_SIZE] = "";
    char second[LINE_SIZE] = "";

    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    if (sscanf(line, "%31s %511s %511s", command, first, second) >= 1)
        printf("result %d\n", carry_out(command, first, second));
    return true;
}

/* --- Redis ---------------------------------------------------------------------------- */

static void watch(int fd, int events, void *user_data)
{
    nfds_t i = FIRST_WATCHED;

    (void)user_data;
    while (i < n_fds && fds[i].fd != fd)
        i++;
    if (events == 0) {
        if (i < n_fds)
            fds[i] = fds[--n_fds];
        return;
    }
    if (i == MAX_FDS)
        abort();
    if (i == n_fds)
        n_fds++;
    fds[i] = (struct pollfd){
        .fd = fd,
        .events = (short)(((events & WS_REDIS_READ) != 0 ? POLLIN : 0) |
                          ((events & WS_REDIS_WRITE) != 0 ? POLLOUT : 0)),
    };
}

static void wake(void *user_data)
{
    uint64_t one = 1;

    (void)user_data;
    if (write(fds[WAKE].fd, &one, sizeof one) < 0)
        return;
}

static void tell_ready(ws_redis *redis)
{
    struct pollfd ready[MAX_FDS];
    nfds_t n = n_fds;

    memcpy(ready, fds, sizeof ready); /* being told may change what is watched */
    for (nfds_t i = FIRST_WATCHED; i < n; i++)
        if (ready[i].revents != 0)
            ws_redis_ready(redis, ready[i].fd,
                           ((ready[i].revents & ~POLLOUT) != 0 ? WS_REDIS_READ : 0) |
                               ((ready[i].revents & ~POLLIN) != 0 ? WS_REDIS_WRITE : 0));
}

static void serve(ws_redis *redis)
{
    bool more = true;

    while (more) {
        uint64_t now = now_ms();
        uint64_t deadline = ws_redis_run(redis, now);
        uint64_t wait_ms = deadline > now ? deadline - now : 0;
        uint64_t count;

        if (poll(fds, n_fds, wait_ms < 1000 ? (int)wait_ms : 1000) <= 0)
            continue;
        if (fds[WAKE].revents != 0 && read(fds[WAKE].fd, &count, sizeof count) < 0)
            continue;
        tell_ready(redis);
        if (fds[STDIN].revents != 0)
            more = read_line();
    }
}

/* --- the beginning -------------------------------------------------------------------- */

static void check(int result, const char *what)
{
    if (result == WS_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, ws_strerror(result));
    exit(1);
}

static ws_redis *start_redis(const char *uri)
{
    ws_redis_options options;
    ws_redis *redis;

    fds[STDIN] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    fds[WAKE] = (struct pollfd){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .events = POLLIN};
    ws_redis_options_init(&options);
    options.uri = uri;
    options.watch = watch;
    options.wake = wake;
    check(ws_redis_new(manager, &options, now_ms(), &redis), "ws_redis_new");
    return redis;
}

static void make_manager(char *folder)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.user_data = folder;
    options.authorize_join = authorize_join;
    options.on_process_message = on_process_message;
    options.on_processes_gap = on_processes_gap;
    options.presence_events = WS_PRESENCE_OFF;
    options.answer_timeout_ms = 5000; /* a killed process never answers */
    check(ws_manager_new(&options, &manager), "ws_manager_new");
    check(ws_manager_register_event_type(manager, "message"), "ws_manager_register_event_type");
    check(ws_manager_register_method(manager, "later", later, NULL),
          "ws_manager_register_method");
}

int main(int argc, char **argv)
{
    ws_server_route route = {.path = "/ws", .kind = WS_SERVER_WEBSOCKET};
    ws_endpoint_options endpoint_options;
    ws_server_options options;
    ws_server *server;
    ws_redis *redis;

    if (argc != 3)
        return 2;
    setvbuf(stdin, NULL, _IONBF, 0); /* poll() sees every line */
    setvbuf(stdout, NULL, _IOLBF, 0);
    make_manager(argv[2]);
    redis = start_redis(argv[1]);
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.accept_handshake = accept_handshake;
    check(ws_endpoint_new(manager, &endpoint_options, &route.endpoint), "ws_endpoint_new");
    ws_server_options_init(&options);
    options.listen = "127.0.0.1:0";
    options.threads = 2;
    options.routes = &route;
    options.n_routes = 1;
    check(ws_server_start(manager, &options, &server), "ws_server_start");
    printf("listening on %s\n", ws_server_url(server));
    serve(redis);
    ws_server_free(server);
    ws_redis_free(redis);
    ws_endpoint_free(route.endpoint);
    ws_manager_free(manager);
    return 0;
}
