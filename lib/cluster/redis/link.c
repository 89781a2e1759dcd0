/* link.c: one connection to Redis through hiredis' asynchronous API. */
#include "cluster/redis/link.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>
#include <ws_manager/loop.h>
#include <ws_manager/redis.h>

#include "base/sigpipe.h"

void link_init(struct link *link, void (*watch)(int fd, int events, void *user_data),
               void *user_data, struct tls_store *tls_store, size_t max_reply_bytes)
{
    *link = (struct link){.watch = watch,
                          .user_data = user_data,
                          .tls_store = tls_store,
                          .fd = -1,
                          .reply_limit = {.max_bytes = max_reply_bytes},
                          .deadline_ms = WS_NO_DEADLINE};
}

static void set_error(struct link *link, const char *text)
{
    snprintf(link->error, sizeof link->error, "%s", text);
}

/* --- what hiredis calls ----------------------------------------------------------------------- */

static void want_read(void *data)
{
    ((struct link *)data)->events |= WS_REDIS_READ;
}

static void want_no_read(void *data)
{
    ((struct link *)data)->events &= ~WS_REDIS_READ;
}

static void want_write(void *data)
{
    ((struct link *)data)->events |= WS_REDIS_WRITE;
}

static void want_no_write(void *data)
{
    ((struct link *)data)->events &= ~WS_REDIS_WRITE;
}

static void update_watch(struct link *link)
{
    if (link->events == link->watched)
        return;
    link->watched = link->events;
    link->watch(link->fd, link->events, link->user_data);
}

static void explain_limit(struct link *link)
{
    snprintf(link->error, sizeof link->error, "a reply has more than %zu bytes",
             link->reply_limit.max_bytes);
}

/* hiredis calls this last, whichever side ended the connection. The descriptor is still open. */
static void on_cleanup(void *data)
{
    struct link *link = data;

    if (link->context->c.err != 0)
        set_error(link, link->context->c.errstr);
    if (link->context->c.err != 0 && link->tls != NULL)
        tls_explain(link->tls, link->error, sizeof link->error);
    if (link->context->c.err != 0 && link->reply_limit.is_exceeded)
        explain_limit(link);
    link->context = NULL;
    link->tls = NULL;
    link->events = 0;
    update_watch(link);
    link->fd = -1;
}

/* hiredis frees a reply after the callback. To keep its contents, moves them into a copy and leaves
 * an empty reply behind. */
static redisReply *take_over(redisReply *reply)
{
    redisReply *copy = malloc(sizeof *copy);

    if (copy == NULL)
        return NULL;
    *copy = *reply;
    *reply = (redisReply){.type = REDIS_REPLY_NIL};
    return copy;
}

static bool has_unread(const redisAsyncContext *context)
{
    return context->c.reader->pos < context->c.reader->len;
}

/* Redis sends nothing except replies. hiredis aborts the process if there is a reply without a
 * command, so the connection is closed first. */
static void close_unexpected(struct link *link)
{
    set_error(link, "Redis sent a reply that belongs to no command");
    redisAsyncFree(link->context);
}

/* If a reply is lost for lack of memory, the connection cannot continue: the next reply would
 * be taken for the lost one. */
static void on_reply(redisAsyncContext *context, void *reply, void *data)
{
    struct link *link = data;
    struct link_request *request;

    if (reply == NULL || link->is_broken)
        return;
    reply_limit_next(&link->reply_limit);
    request = &link->requests[(link->first + link->n_replied) % LINK_MAX_REQUESTS];
    request->reply = take_over(reply);
    if (request->reply == NULL) {
        link->is_broken = true;
        return;
    }
    link->n_replied++;
    link->replied = true;
    if (link->n_replied == link->count && has_unread(context))
        close_unexpected(link);
}

/* --- SIGPIPE ---------------------------------------------------------------------------------- */

/* hiredis 0.14 and OpenSSL write to a socket with write(), which can raise SIGPIPE. */
static void without_sigpipe(struct link *link, void (*handle)(struct link *link))
{
    struct sigpipe sigpipe;

    sigpipe_block(&sigpipe);
    handle(link);
    sigpipe_restore(&sigpipe);
}

/* --- life ------------------------------------------------------------------------------------- */

/* The handshake begins with a write, if the connection is already established. */
static bool begin_tls(struct link *link, redisAsyncContext *context, const struct uri *uri,
                      const char *host)
{
    struct sigpipe sigpipe;

    if (!uri->is_tls)
        return true;
    sigpipe_block(&sigpipe);
    link->tls =
        tls_begin(link->tls_store, &context->c, uri, host, link->error, sizeof link->error);
    sigpipe_restore(&sigpipe);
    return link->tls != NULL;
}

bool link_open(struct link *link, const struct uri *uri, const struct place *place,
               const char *address)
{
    redisAsyncContext *context =
        uri->is_unix ? redisAsyncConnectUnix(address) : redisAsyncConnect(address, place->port);

    if (context == NULL) {
        set_error(link, "out of memory");
        return false;
    }
    if (context->err != 0)
        set_error(link, context->errstr);
    if (context->err != 0 || !begin_tls(link, context, uri, place->host)) {
        redisAsyncFree(context);
        return false;
    }
    set_error(link, "the connection was closed");
    fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
    context->ev.data = link;
    context->ev.addRead = want_read;
    context->ev.delRead = want_no_read;
    context->ev.addWrite = want_write;
    context->ev.delWrite = want_no_write;
    context->ev.cleanup = on_cleanup;
    reply_limit_begin(&link->reply_limit, context->c.reader);
    link->context = context;
    link->fd = context->c.fd;
    link->timeout_ms = uri->timeout_ms;
    return true;
}

void link_close(struct link *link)
{
    enum request_kind kind;
    redisReply *reply;

    if (link->context != NULL)
        redisAsyncFree(link->context);
    while ((reply = link_take_reply(link, &kind)) != NULL)
        freeReplyObject(reply);
    link->count = 0;
    link->is_broken = false;
    link->deadline_ms = WS_NO_DEADLINE;
    link->progressed = false;
    link->replied = false;
    link->is_slow = false;
    link->written = link->unsent = link->counted = 0;
    link->sends_asking = false;
}

/* --- input and output ------------------------------------------------------------------------- */

/* No reply is awaited: only the end of the connection may arrive. */
static void read_idle(struct link *link)
{
    if (redisBufferRead(&link->context->c) != REDIS_OK)
        redisAsyncFree(link->context);
    else if (has_unread(link->context))
        close_unexpected(link);
}

static void handle_read(struct link *link)
{
    if (link->n_replied == link->count)
        read_idle(link);
    else
        redisAsyncHandleRead(link->context);
    if (link->context != NULL &&
        !reply_limit_holds(&link->reply_limit, link->context->c.reader)) {
        explain_limit(link);
        redisAsyncFree(link->context);
    }
}

static void handle_write(struct link *link)
{
    redisAsyncHandleWrite(link->context);
}

/* TLS may also write while it reads, during the handshake. */
static void read_in(struct link *link)
{
    if (link->tls == NULL) {
        handle_read(link);
        return;
    }
    tls_clear_errors();
    without_sigpipe(link, handle_read);
}

static size_t n_unsent(const struct link *link)
{
    return link->context->c.obuf != NULL ? sdslen(link->context->c.obuf) : 0;
}

/* The bytes that the socket's buffer holds; 0 if the system does not tell. */
static size_t n_buffered(const struct link *link)
{
    int n;

    return ioctl(link->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

static void begin_count(struct link *link)
{
    link->written = link->unsent = link->counted = 0;
}

/* After a reply: the next request may be in the socket's buffer as a whole, which is then all that
 * shows that it is on its way. */
static void begin_next_count(struct link *link)
{
    begin_count(link);
    if (link->n_replied < link->count)
        link->written = link->unsent = n_buffered(link);
}

/* Counts written bytes. A small request is not worth a look at the socket's buffer. */
static void count_written(struct link *link, size_t bytes)
{
    link->progressed = true;
    link->written += bytes;
    if (link->written >= LINK_STEP_BYTES)
        link->unsent = n_buffered(link);
}

static void write_out(struct link *link)
{
    size_t before = n_unsent(link);

    if (link->tls != NULL)
        tls_clear_errors();
    without_sigpipe(link, handle_write);
    if (link->context == NULL)
        return;
    if (n_unsent(link) < before)
        count_written(link, before - n_unsent(link));
    if (link->tls != NULL && n_unsent(link) > 0 && !tls_wants_read(link->tls))
        link->events |= WS_REDIS_WRITE;
}

void link_ready(struct link *link, int events)
{
    if ((events & WS_REDIS_READ) && link->context != NULL) {
        read_in(link);
        link->progressed = true;
    }
    if ((events & WS_REDIS_WRITE) && link->context != NULL)
        write_out(link);
    if (link->context != NULL)
        update_watch(link);
}

void link_flush(struct link *link)
{
    if (link->context == NULL)
        return;
    if ((link->context->c.flags & REDIS_CONNECTED) && (link->events & WS_REDIS_WRITE))
        write_out(link);
    if (link->context != NULL)
        update_watch(link);
}

/* --- requests and replies --------------------------------------------------------------------- */

/* How long Redis may wait before it sends the next reply, because the command blocks. */
static uint64_t block_ms(const struct link *link)
{
    size_t next = (link->first + link->n_replied) % LINK_MAX_REQUESTS;

    return link->requests[next].kind == REQUEST_READ ? LINK_BLOCK_MS : 0;
}

/* The bytes that left since the last reply, and those of the unfinished reply. TLS adds some to the
 * socket's buffer. */
static size_t transferred(const struct link *link)
{
    const redisReader *reader = link->context->c.reader;
    size_t left = link->written > link->unsent ? link->written - link->unsent : 0;

    return left + link->reply_limit.held + (reader->len - reader->pos);
}

/* True if the next reply may take longer, because enough data has moved. */
static bool is_moving(struct link *link)
{
    size_t next = (link->first + link->n_replied) % LINK_MAX_REQUESTS;
    size_t bytes = transferred(link);

    if (!link->requests[next].may_take_long || bytes < link->counted + LINK_STEP_BYTES)
        return false;
    link->counted = bytes;
    return true;
}

/* Starts the deadlines for the next reply. */
static void start_deadline(struct link *link, uint64_t now_ms)
{
    link->deadline_ms = now_ms + block_ms(link) + link->timeout_ms;
    link->limit_ms = now_ms + block_ms(link) + LINK_SLOW * link->timeout_ms;
}

static bool has_keys(enum request_kind kind)
{
    switch (kind) {
    case REQUEST_MULTI: /* also for the commands up to EXEC */
    case REQUEST_ATTACH:
    case REQUEST_READ:
    case REQUEST_STATE:
    case REQUEST_VALUES:
    case REQUEST_APPEND:
    case REQUEST_REMEMBER:
    case REQUEST_RECALL:
    case REQUEST_HEARTBEAT:
    case REQUEST_NODES:
        return true;
    default:
        return false;
    }
}

/* Records a command that was handed to hiredis, unless `result` is an error. */
static bool add_request(struct link *link, enum request_kind kind, int result, uint64_t now_ms)
{
    struct link_request *request =
        &link->requests[(link->first + link->count) % LINK_MAX_REQUESTS];

    if (result != REDIS_OK) {
        set_error(link, "a command could not be queued for Redis");
        return false;
    }
    *request = (struct link_request){.kind = kind};
    if (link->n_replied == link->count) {
        start_deadline(link, now_ms);
        begin_count(link);
    }
    link->count++;
    return true;
}

void link_may_take_long(struct link *link)
{
    link->requests[(link->first + link->count - 1) % LINK_MAX_REQUESTS].may_take_long = true;
}

bool link_send(struct link *link, enum request_kind kind, const struct command *command,
               uint64_t now_ms)
{
    bool needs_asking = link->sends_asking && has_keys(kind);

    if (link->context == NULL)
        return false;
    if (link->count + needs_asking >= LINK_MAX_REQUESTS) {
        set_error(link, "too many commands wait for a reply");
        return false;
    }
    if (needs_asking &&
        !add_request(link, REQUEST_GREETING,
                     redisAsyncCommand(link->context, on_reply, link, "ASKING"), now_ms))
        return false;
    /* hiredis' parameter lacks a const, but hiredis does not write to the array. */
    return add_request(link, kind,
                       redisAsyncCommandArgv(link->context, on_reply, link, command->count,
                                             (const char **)(uintptr_t)command->arguments,
                                             command->lengths),
                       now_ms);
}

redisReply *link_take_reply(struct link *link, enum request_kind *kind)
{
    struct link_request *request = &link->requests[link->first];

    if (link->n_replied == 0)
        return NULL;
    *kind = request->kind;
    link->first = (link->first + 1) % LINK_MAX_REQUESTS;
    link->count--;
    link->n_replied--;
    return request->reply;
}

/* Received data extends the deadline, but not beyond the limit of the unfinished reply. */
static void extend_deadline(struct link *link, uint64_t now_ms)
{
    uint64_t limit_ms = link->limit_ms;

    start_deadline(link, now_ms);
    if (link->replied) {
        begin_next_count(link);
    } else if (!is_moving(link)) {
        link->limit_ms = limit_ms;
        if (link->deadline_ms > limit_ms)
            link->deadline_ms = limit_ms;
    }
    if (link->n_replied == link->count)
        link->deadline_ms = WS_NO_DEADLINE;
    link->progressed = false;
    link->replied = false;
}

/* True if the socket's buffer becomes emptier: on a slow line that is the only progress that can be
 * seen of a large request. */
static bool is_draining(struct link *link)
{
    size_t before = link->unsent;

    if (before < LINK_STEP_BYTES)
        return false;
    link->unsent = n_buffered(link);
    return link->unsent + LINK_STEP_BYTES <= before;
}

bool link_check(struct link *link, uint64_t now_ms)
{
    if (link->context == NULL)
        return false;
    if (link->is_broken) {
        set_error(link, "out of memory");
        return false;
    }
    if (link->progressed || (now_ms >= link->deadline_ms && is_draining(link)))
        extend_deadline(link, now_ms);
    if (now_ms < link->deadline_ms)
        return true;
    link->is_slow = link->deadline_ms == link->limit_ms;
    snprintf(link->error, sizeof link->error, "no %sreply within %" PRIu64 " ms",
             link->is_slow ? "complete " : "",
             block_ms(link) + (link->is_slow ? LINK_SLOW : 1) * link->timeout_ms);
    return false;
}
