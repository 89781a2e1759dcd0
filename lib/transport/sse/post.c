/* post.c: a POST request: one message from the client of an event stream. */
#include "transport/sse/post.h"

#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/utf8.h"
#include "transport/http/body.h"
#include "transport/http/error_response.h"

/* Whether a post was carried out is decided once: by the thread of its stream, which begins to, or
 * by that of its request, which answers that it was not. */
enum post_fate { POST_WAITS, POST_CARRIED_OUT, POST_GIVEN_UP };

/* A posted message, on its way from the loop of its request to that of the stream, and back. The
 * request holds one reference. Another one travels with the message: the loop's inbox holds it,
 * then the stream's queue. So the request can be freed in the meantime. */
struct post {
    struct loop_call call; /* first */
    struct post *next;     /* among those that wait at a stream */
    ws_manager *manager;
    _Atomic unsigned refs;
    _Atomic int fate; /* enum post_fate */
    uint32_t origin;  /* the number of the request's loop */
    ws_conn_id stream;
    char secret[STREAM_SECRET_SIZE];
    char user_id[WS_NAME_MAX + 1]; /* "": anonymous */
    struct http_body body;
    int status; /* of the answer */

    /* The thread of `origin` alone: */
    ws_http *http; /* NULL: freed, or answered */
    struct response response;
};

/* The posts that wait at a stream; exists while there are some. */
struct post_queue {
    struct post *first;
    struct post *last;
    size_t count;
    size_t length;                /* of the messages */
    struct unfinished unfinished; /* the memory of all of them */
};

static size_t memory_of(const struct post *post)
{
    return sizeof *post + post->body.bytes.capacity;
}

static void give_back(struct post *post)
{
    if (atomic_fetch_sub_explicit(&post->refs, 1, memory_order_acq_rel) != 1)
        return;
    buffer_free(&post->body.bytes);
    buffer_free(&post->response.fields);
    memory_free(&post->manager->memory, post);
}

/* False if it was decided otherwise. */
static bool decide(struct post *post, enum post_fate fate)
{
    int waits = POST_WAITS;

    return atomic_compare_exchange_strong_explicit(&post->fate, &waits, (int)fate,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static struct post *post_of(struct loop_call *call)
{
    return (struct post *)call;
}

/* The loop was freed with the call in its inbox. If the request still exists, it is answered when
 * its timer expires. */
static void drop_call(struct loop_call *call)
{
    give_back(post_of(call));
}

/* --- the answer ------------------------------------------------------------------------------ */

static const char *explain(int status)
{
    switch (status) {
    case 403:
        return "the session is another user's";
    case 404:
        return "the session does not exist";
    case 408:
        return "the body took too long";
    case 429:
        return "too many of the session's messages wait; try again";
    case 503:
        return "the server is busy; try again";
    default:
        return NULL;
    }
}

/* Takes the request from the post; NULL if it was freed or answered. */
static ws_http *take_http(struct post *post)
{
    ws_http *http = post->http;

    post->http = NULL;
    return http;
}

static void fail(struct post *post, int status, const char *reason)
{
    ws_http *http = take_http(post);

    if (http != NULL)
        http_fail(http, &post->response, status, reason);
}

static void answer(struct post *post, int status)
{
    ws_http *http;

    if (status != 204) {
        fail(post, status, explain(status));
        return;
    }
    http = take_http(post);
    if (http == NULL)
        return;
    post->response.status = status;
    response_send(&post->response, http, NULL, 0);
}

/* Back on the request's own thread. */
static void arrive_back(ws_loop *loop, struct loop_call *call)
{
    struct post *post = post_of(call);

    (void)loop;
    answer(post, post->status);
    give_back(post);
}

/* Ends a post on the stream's thread, which owns it. Its answer may wait for a reader. */
static void finish(ws_loop *loop, struct post *post, int status)
{
    buffer_free(&post->body.bytes);
    if (post->origin == loop->number) {
        answer(post, status);
        give_back(post);
        return;
    }
    post->status = status;
    post->call.run = arrive_back;
    if (loop_call_post(loop, post->origin, &post->call, false) != WS_OK)
        give_back(post);
}

/* --- at the stream --------------------------------------------------------------------------- */

static void count_memory(struct stream *stream, size_t bytes)
{
    unfinished_count(stream->connection.loop, &stream->posts->unfinished, bytes);
}

static struct post *take_first(struct stream *stream)
{
    struct post_queue *queue = stream->posts;
    struct post *post = queue->first;

    queue->first = post->next;
    queue->count--;
    queue->length -= post->body.bytes.length;
    count_memory(stream, queue->unfinished.bytes - memory_of(post));
    if (queue->count == 0) {
        stream->posts = NULL;
        memory_free(stream_memory(stream), queue);
    }
    return post;
}

/* Answers those that wait that they are not carried out. */
static void refuse_all(struct stream *stream, int status)
{
    input_list_remove(&stream->connection.loop->inputs, &stream->input);
    while (stream->posts != NULL)
        finish(stream->connection.loop, take_first(stream), status);
}

void posts_drop(struct stream *stream)
{
    refuse_all(stream, 404);
}

/* They give way to what others have sent. */
static void give_way_to_others(void *owner)
{
    refuse_all(owner, 503);
}

static void process(struct stream *stream, struct post *post, uint32_t *cost)
{
    char nothing = '\0';
    char *text = post->body.bytes.length > 0 ? post->body.bytes.data : &nothing;
    uint32_t more;

    if (!decide(post, POST_CARRIED_OUT)) {
        finish(stream->connection.loop, post, 503);
        return;
    }
    more = transport_received(&stream->connection, text, post->body.bytes.length, true);
    input_charge(stream->connection.loop, &stream->input, more, cost);
    finish(stream->connection.loop, post, 204);
}

static uint32_t serve(ws_loop *loop, struct input *input)
{
    struct stream *stream = stream_of_input(input);
    struct connection *connection = &stream->connection;
    ws_http *http = stream->http;
    uint32_t cost = 0;

    if (connection_must_wait(connection)) {
        input_wait(loop, input, connection);
        return 0;
    }
    http_enter(http);
    while (stream->posts != NULL && connection->state == CONNECTION_LIVE &&
           !connection_must_wait(connection) && input_may_go_on(loop, input))
        process(stream, take_first(stream), &cost);
    if (stream->posts != NULL)
        input_list_add(&loop->inputs, input);
    http_leave(http);
    return cost > 0 ? cost : 1;
}

static struct post_queue *queue_of(struct stream *stream)
{
    struct post_queue *queue = stream->posts;

    if (queue == NULL)
        queue = memory_zalloc(stream_memory(stream), sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->unfinished.owner = stream;
    queue->unfinished.give_way = give_way_to_others;
    stream->posts = queue;
    return queue;
}

/* Others, or those of this stream, give way to what is added. */
static void enqueue(struct stream *stream, struct post *post)
{
    ws_loop *loop = stream->connection.loop;
    struct post_queue *queue = queue_of(stream);
    const struct unfinished *ending;

    if (queue == NULL) {
        finish(loop, post, 503);
        return;
    }
    post->next = NULL;
    *(queue->count > 0 ? &queue->last->next : &queue->first) = post;
    queue->last = post;
    queue->count++;
    queue->length += post->body.bytes.length;
    stream->input.serve = serve;
    input_list_add(&loop->inputs, &stream->input);
    count_memory(stream, queue->unfinished.bytes + memory_of(post));
    ending = unfinished_excess(loop, stream_options(stream)->max_message_bytes);
    if (ending != NULL)
        ending->give_way(ending->owner);
}

static bool is_full(const struct stream *stream)
{
    const struct post_queue *queue = stream->posts;

    return queue != NULL &&
           (queue->count >= INPUT_HIGH_MESSAGES || queue->length >= INPUT_HIGH_BYTES);
}

/* Finds the stream, if the client knows its secret. The comparison takes the same time for every
 * wrong secret, so that nobody can guess it byte by byte. */
static struct stream *find_stream(ws_loop *loop, const struct post *post)
{
    struct connection *connection = transport_find(loop, post->stream, TRANSPORT_SSE);
    struct stream *stream = connection != NULL ? stream_of(connection) : NULL;

    if (stream == NULL || !stream->registered ||
        CRYPTO_memcmp(stream->secret, post->secret, sizeof stream->secret) != 0)
        return NULL;
    return stream;
}

static void deliver(ws_loop *loop, struct post *post)
{
    struct stream *stream = find_stream(loop, post);
    const char *user_id = stream != NULL ? transport_user_id(&stream->connection) : NULL;

    if (stream == NULL)
        finish(loop, post, 404);
    else if (strcmp(user_id != NULL ? user_id : "", post->user_id) != 0)
        finish(loop, post, 403);
    else if (is_full(stream))
        finish(loop, post, 429);
    else
        enqueue(stream, post);
}

static void arrive(ws_loop *loop, struct loop_call *call)
{
    deliver(loop, post_of(call));
}

/* --- the request ----------------------------------------------------------------------------- */

static void add_to_body(ws_http *http, const void *data, size_t length)
{
    struct post *post = http->used_by;
    struct http_body_problem problem;

    if (post->http != NULL && !http_body_add(&post->body, http, data, length, &problem))
        fail(post, problem.status, problem.reason);
}

/* The body that is arriving gives way to those of others. */
static void give_way(void *owner)
{
    ws_http *http = owner;
    struct post *post = http->used_by;

    http_enter(http);
    http_body_drop(&post->body, http);
    fail(post, 503, UNFINISHED_TOO_MANY);
    http_leave(http);
}

static void send(ws_http *http)
{
    struct post *post = http->used_by;
    uint32_t loop = conn_id_loop(post->stream);
    int result = WS_OK;

    if (post->http == NULL)
        return;
    http_body_complete(&post->body, http);
    if (post->body.bytes.length > 0 &&
        !utf8_valid(post->body.bytes.data, post->body.bytes.length)) {
        fail(post, 400, "the body is not UTF-8");
        return;
    }
    http_start_timer(http, http->endpoint->options.handshake_timeout_ms);
    atomic_fetch_add_explicit(&post->refs, 1, memory_order_relaxed);
    if (loop == http->loop->number) {
        deliver(http->loop, post);
        return;
    }
    post->call = (struct loop_call){arrive, drop_call};
    result = loop_call_post(http->loop, loop, &post->call, true);
    if (result == WS_OK)
        return;
    answer(post, result == WS_ERR_NOT_FOUND ? 404 : 503);
    give_back(post);
}

/* A message that waits is not carried out any more. If it was, the answer is on its way, and this
 * loop is late. */
static void expired(ws_http *http)
{
    struct post *post = http->used_by;

    counter_add(&http->loop->counters, COUNTER_timeouts, 1);
    if (!http->body_ended) {
        http_body_drop(&post->body, http);
        answer(post, 408);
    } else {
        answer(post, decide(post, POST_GIVEN_UP) ? 503 : 204);
    }
}

static void gone(ws_http *http, uint16_t code)
{
    struct post *post = http->used_by;

    (void)code;
    if (!http->body_ended)
        http_body_drop(&post->body, http);
    post->http = NULL;
}

static void detach(ws_http *http)
{
    give_back(http->used_by);
}

static const struct http_use post_use = {
    .body = add_to_body,
    .body_ended = send,
    .expired = expired,
    .gone = gone,
    .detach = detach,
};

/* --- its head -------------------------------------------------------------------------------- */

/* A page of another origin can post text/plain without a preflight. It gains nothing by that,
 * because it does not know the id of a session. */
static bool has_known_type(const struct request *request)
{
    static const char *const known[] = {"application/json", "text/plain"};
    const char *type = request_header(request, "Content-Type", 0);

    for (size_t i = 0; type != NULL && i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i]);

        if (strncasecmp(type, known[i], length) == 0 && strchr("; \t", type[length]) != NULL)
            return true;
    }
    return false;
}

/* Reads "NAME.SECRET", where NAME is a connection's. */
static bool read_session(const char *session, const ws_manager *manager, struct post *post)
{
    const char *dot = strrchr(session, '.');
    char name[CONNECTION_NAME_SIZE];
    char process[EPOCH_SIZE];
    size_t length = dot != NULL ? (size_t)(dot - session) : sizeof name;

    if (length >= sizeof name || strlen(dot + 1) != STREAM_SECRET_SIZE - 1)
        return false;
    memcpy(name, session, length);
    name[length] = '\0';
    memcpy(post->secret, dot + 1, STREAM_SECRET_SIZE);
    return connection_name_read(name, process, &post->stream) &&
           strcmp(process, manager->process) == 0;
}

static struct post *make_post(ws_http *http, const struct ws_handshake *handshake,
                              const struct response *response)
{
    ws_manager *manager = http->loop->manager;
    struct post *post = memory_zalloc(&manager->memory, sizeof *post);

    if (post == NULL)
        return NULL;
    post->manager = manager;
    atomic_init(&post->refs, 1);
    post->origin = http->loop->number;
    post->http = http;
    post->response = *response;
    http_body_init(&post->body, http, give_way);
    if (handshake->has_user)
        memcpy(post->user_id, handshake->user_id, sizeof post->user_id);
    return post;
}

/* Returns the status of a refusal, and its reason; 0: the request is acceptable. */
static int check(const struct ws_handshake *handshake, const char *session, struct post *post,
                 const char **reason)
{
    *reason = NULL;
    if (!has_known_type(handshake->request)) {
        *reason = "the Content-Type must be application/json or text/plain";
        return 415;
    }
    if (session == NULL) {
        *reason = "the query lacks session";
        return 400;
    }
    if (!read_session(session, post->manager, post)) {
        *reason = explain(404);
        return 404;
    }
    return 0;
}

void post_begin(ws_http *http, struct ws_handshake *handshake, struct response *response)
{
    struct post *post = make_post(http, handshake, response);
    const char *session = NULL;
    const char *reason;
    int status;

    if (post == NULL) {
        http_fail(http, response, 503, "out of memory");
        return;
    }
    http->use = &post_use;
    http->used_by = post;
    ws_handshake_query_parameter(handshake, "session", &session, NULL);
    status = check(handshake, session, post, &reason);
    if (status != 0)
        fail(post, status, reason);
    else
        http_start_timer(http, http->endpoint->options.handshake_timeout_ms);
}
