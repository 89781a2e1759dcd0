/* redis.c: a carrier whose Redis answers correctly or with anything else: each event's sender
 * learns once whether it is stored, clients receive valid JSON, and the data about processes is
 * valid JSON. Not here: the answers (redis/answers.c), and bytes that hiredis cannot parse. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <ws_manager/redis.h>
#include <ws_manager/ws_manager.h>

#include "base/json_text.h"
#include "fuzz/redis/answers.h"

enum { MAX_LINKS = 2, MAX_STEPS = 100, PIECE = 65536 };

/* One connection, as both sides see it; -1: none. */
struct line {
    int ours;
    int events;
    int theirs;
    redisReader *requests;
};

static struct line
    lines[MAX_LINKS]; /* the carrier's connections, and in the same order those of Redis */
static char folder[] = "/tmp/fuzz-redis-XXXXXX";
static char path[64];
static int listener = -1;
static unsigned n_asked;
static unsigned n_told;

/* --- Redis ------------------------------------------------------------------------------------ */

static void remove_files(void)
{
    unlink(path);
    rmdir(folder);
}

static void listen_at_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/redis", folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    atexit(remove_files);
}

static void hang_up(struct line *line)
{
    if (line->theirs >= 0)
        close(line->theirs);
    if (line->requests != NULL)
        redisReaderFree(line->requests);
    line->theirs = -1;
    line->requests = NULL;
}

static void accept_all(void)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct line *line = &lines[lines[0].theirs < 0 ? 0 : 1];

        hang_up(line);
        line->theirs = fd;
        line->requests = redisReaderCreate();
    }
}

static void answer_requests(struct line *line, struct fuzz_input *input)
{
    size_t length = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &length);
    void *request;

    ck_assert_ptr_nonnull(out);
    while (redisReaderGetReply(line->requests, &request) == REDIS_OK && request != NULL) {
        answer(out, request, input);
        freeReplyObject(request);
    }
    fclose(out);
    if (send(line->theirs, text, length, MSG_NOSIGNAL) != (ssize_t)length)
        hang_up(line);
    free(text);
}

static void serve(struct line *line, struct fuzz_input *input)
{
    static char bytes[PIECE];
    ssize_t length = -1;

    if (line->theirs < 0)
        return;
    while (line->theirs >= 0 && (length = recv(line->theirs, bytes, sizeof bytes, 0)) > 0) {
        redisReaderFeed(line->requests, bytes, (size_t)length);
        answer_requests(line, input);
    }
    if (length == 0)
        hang_up(line);
}

/* --- the host --------------------------------------------------------------------------------- */

static void watch(int fd, int events, void *user_data)
{
    struct line *line = NULL;

    (void)user_data;
    for (size_t i = 0; i < MAX_LINKS; i++)
        if (lines[i].ours == fd || (line == NULL && lines[i].ours < 0))
            line = &lines[i];
    ck_assert_ptr_nonnull(line);
    line->ours = events != 0 ? fd : -1;
    line->events = events;
}

static void wake(void *user_data)
{
    (void)user_data;
}

static void on_stored(int result, const char *id, void *user_data)
{
    (void)result;
    (void)id;
    (void)user_data;
    n_told++;
}

static int take(ws_message *message, void *transport_data)
{
    size_t length;
    const char *text = ws_message_payload(message, &length);

    (void)transport_data;
    ck_assert(json_valid(text, length, JSON_MAX_DEPTH + 1));
    return WS_OK;
}

static void ignore_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    (void)transport_data;
}

static void emit(ws_manager *manager)
{
    ws_event *event;

    ck_assert_int_eq(ws_event_new(manager, "notification", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_event_set_stored_callback(event, on_stored, NULL), WS_OK);
    if (ws_manager_broadcast(manager, event, NULL, 0) == WS_OK)
        n_asked++;
    ws_event_free(event);
}

static void come_back(ws_manager *manager, ws_loop *loop, const char *after)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = take, .close = ignore_close};
    ws_connect_options options;
    ws_conn_id client;

    ws_connect_options_init(&options);
    options.transport = &transport;
    options.after = after;
    ws_manager_connect(manager, loop, &options, &client);
}

static void expect_json(ws_redis *redis, int (*get)(ws_redis *, char **, size_t *))
{
    size_t length;
    char *text;

    ck_assert_int_eq(get(redis, &text, &length), WS_OK);
    ck_assert(json_valid(text, length, JSON_MAX_DEPTH + 3));
    ws_redis_free_text(redis, text);
}

/* What the host's poll() would return for it. */
static void be_ready(ws_redis *redis)
{
    for (size_t i = 0; i < MAX_LINKS; i++) {
        struct pollfd polled = {lines[i].ours, POLLIN | POLLOUT, 0};
        int events;

        if (polled.fd < 0 || poll(&polled, 1, 0) <= 0)
            continue;
        events = (polled.revents & (POLLIN | POLLHUP) ? WS_REDIS_READ : 0) |
                 (polled.revents & POLLOUT ? WS_REDIS_WRITE : 0);
        ws_redis_ready(redis, polled.fd, events & lines[i].events);
    }
}

/* --- a life ----------------------------------------------------------------------------------- */

static void live(ws_manager *manager, ws_loop *loop, ws_redis *redis, struct fuzz_input *input)
{
    uint64_t now_ms = 0;

    come_back(manager, loop, NULL);
    for (int i = 0; i < MAX_STEPS && input->length > 0; i++) {
        switch (input_below(input, 8)) {
        case 0:
            emit(manager);
            break;
        case 1:
            come_back(manager, loop, "abcdefghij.1");
            break;
        case 2:
            now_ms += 3000;
            break;
        case 3:
            hang_up(&lines[input_below(input, MAX_LINKS)]);
            break;
        default:
            break;
        }
        be_ready(redis);
        now_ms += 10;
        ck_assert_uint_gt(ws_redis_run(redis, now_ms), 0);
        ws_loop_run(loop, now_ms);
        accept_all();
        for (size_t j = 0; j < MAX_LINKS; j++)
            serve(&lines[j], input);
    }
    expect_json(redis, ws_redis_get_stats);
    expect_json(redis, ws_redis_get_nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fuzz_input input = {data, length};
    ws_redis_options options;
    ws_manager *manager;
    ws_redis *redis;
    ws_loop *loop;
    char uri[128];

    if (listener < 0)
        listen_at_path();
    for (size_t i = 0; i < MAX_LINKS; i++)
        lines[i] = (struct line){.ours = -1, .theirs = -1};
    n_asked = n_told = 0;
    answers_begin();
    ws_redis_options_init(&options);
    snprintf(uri, sizeof uri, "redis+unix://%s", path);
    options.uri = uri;
    options.watch = watch;
    options.wake = wake;
    options.preload_events = 1 + input_below(&input, 8);
    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    ck_assert_int_eq(ws_redis_new(manager, &options, 0, &redis), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    live(manager, loop, redis, &input);
    ws_redis_free(redis);
    ck_assert_uint_eq(n_told, n_asked);
    ws_loop_free(loop);
    ws_manager_free(manager);
    for (size_t i = 0; i < MAX_LINKS; i++) {
        ck_assert_int_eq(lines[i].ours, -1);
        hang_up(&lines[i]);
    }
    accept_all();
    for (size_t i = 0; i < MAX_LINKS; i++)
        hang_up(&lines[i]);
    answers_end();
    return 0;
}
