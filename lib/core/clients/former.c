/* former.c: a client that comes back from another process. */
#include "core/clients/former.h"

#include <string.h>

#include "core/account.h"
#include "core/clients/answers.h"
#include "core/clients/notes.h"
#include "core/clients/replies.h"
#include "core/clients/waiting.h"
#include "core/cluster/recall.h"
#include "core/connections/doom.h"
#include "core/costs.h"
#include "core/kept/kept_notes.h"

enum {
    HOLD_MS = 5000, /* that a message waits for the carrier's answer */
    /* After HOLD_MS: what waited behind that message is not carried out either. */
    REFUSE_MS = 5000,
    ASK_AGAIN_MS = 500,
    /* Notes that name a former one: of connections that ended before their past was known. */
    FOLLOWED_MAX = 8
};

/* The memory of all messages of a loop's clients that wait; larger by those that have no more than
 * an equal share of it. */
enum { HELD_BYTES = 16 << 20 };

/* A message, in one block with its texts. */
struct held_message {
    ws_loop *loop;
    size_t bytes; /* of the block */
    void (*take)(struct connection *connection, const struct client_message *message);
    struct client_message message;
    char text[];
};

struct former {
    struct loop_call call; /* begins */
    struct timer timer;    /* of kind TIMER_FORMER */
    ws_manager *manager;
    ws_conn_id id; /* of the new connection */
    struct connection *connection;
    struct recall *recall; /* NULL: none is under way */
    struct held_message *held;
    struct input *input; /* of the client: it waits while a message is held; NULL: none waits */
    bool is_known;
    uint32_t n_followed;
    uint64_t refuses_until_ms;
    uint64_t awaits_until_ms; /* answers that other processes are to give; 0: none */
    char key[KEPT_KEY_SIZE];  /* of the note that is asked for */
    char user_id[];           /* of the client; until its past is known */
};

bool former_new(ws_manager *manager, const ws_connect_options *options, struct former **former)
{
    char process[EPOCH_SIZE];
    size_t of_user;
    ws_conn_id id;

    *former = NULL;
    if (options->former_connection_id == NULL || options->user_id == NULL ||
        manager->kept_answers.max_answers == 0 || !cluster_remembers(manager) ||
        !connection_name_read(options->former_connection_id, process, &id) ||
        strcmp(process, manager->process) == 0)
        return true;
    of_user = strlen(options->user_id) + 1;
    *former = memory_zalloc(&manager->memory, sizeof **former + of_user);
    if (*former == NULL)
        return false;
    (*former)->manager = manager;
    (*former)->timer.kind = TIMER_FORMER;
    kept_note_key(options->former_connection_id, (*former)->key);
    memcpy((*former)->user_id, options->user_id, of_user);
    return true;
}

static void free_held(struct held_message *held)
{
    if (held == NULL)
        return;
    held->loop->held.bytes -= held->bytes;
    held->loop->held.count--;
    memory_free(&held->loop->manager->memory, held);
}

void former_free(struct former *former)
{
    if (former == NULL)
        return;
    timer_stop(&former->timer);
    if (former->recall != NULL)
        cluster_recall_abandon(former->recall);
    free_held(former->held);
    memory_free(&former->manager->memory, former);
}

static struct former *of_call(struct loop_call *call)
{
    return (struct former *)(void *)((char *)call - offsetof(struct former, call));
}

static struct former *of_timer(struct timer *timer)
{
    return (struct former *)(void *)((char *)timer - offsetof(struct former, timer));
}

/* Nothing more can come. */
static void finish(struct former *former)
{
    waiting_set_former(former->connection, NULL);
    former_free(former);
}

/* --- asking ---------------------------------------------------------------------------------- */

static void recalled(ws_loop *loop, struct recall *recall);

/* Asks, unless that was done; false if the carrier cannot be asked. */
static bool ask(struct former *former)
{
    if (former->recall == NULL)
        former->recall =
            cluster_recall(former->connection->loop, former->key, recalled, former);
    return former->recall != NULL;
}

static void begin(ws_loop *loop, struct loop_call *call)
{
    struct former *former = of_call(call);
    struct connection *connection;

    manager_lock(loop->manager);
    connection = connection_find(loop->manager, former->id);
    manager_unlock(loop->manager);
    former->connection = connection;
    if (connection == NULL) {
        former_free(former);
    } else if (!waiting_set_former(connection, former)) {
        former_free(former);
        connection_out_of_memory(connection);
    } else {
        client_note_former(loop, former->id, former->user_id, former->key);
        ask(former); /* if it cannot, the client's first message does */
    }
}

static void drop(struct loop_call *call)
{
    struct former *former = of_call(call);

    memory_free(&former->manager->memory, former);
}

struct loop_call *former_call(struct former *former, ws_conn_id id)
{
    former->id = id;
    former->call = (struct loop_call){begin, drop};
    return &former->call;
}

/* --- messages -------------------------------------------------------------------------------- */

static size_t size_of(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies `length` bytes and a NUL to *at, which moves on. */
static char *put(char **at, const char *text, size_t length)
{
    char *copy = *at;

    if (text == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *at += length + 1;
    return copy;
}

static size_t bytes_of(const struct client_message *message)
{
    return sizeof(struct held_message) + message->ref.length + 1 + message->data_length + 1 +
           size_of(message->room) + size_of(message->name);
}

static bool is_too_much(const ws_loop *loop, size_t bytes)
{
    return loop->held.bytes + bytes > HELD_BYTES && bytes > HELD_BYTES / (loop->held.count + 1);
}

/* NULL if memory ran out. */
static struct held_message *copy_message(ws_loop *loop, const struct client_message *message)
{
    size_t bytes = bytes_of(message);
    struct held_message *held = memory_alloc(&loop->manager->memory, bytes);
    char *at;

    if (held == NULL)
        return NULL;
    loop->held.bytes += bytes;
    loop->held.count++;
    held->loop = loop;
    held->bytes = bytes;
    at = held->text;
    held->message = (struct client_message){
        .type = message->type,
        .data_length = message->data_length,
        .ref = {put(&at, message->ref.text, message->ref.length), message->ref.length},
        .data = put(&at, message->data, message->data_length),
        .room = put(&at, message->room, size_of(message->room) - 1),
        .name = put(&at, message->name, size_of(message->name) - 1),
    };
    return held;
}

static void refuse(struct connection *connection, const struct client_message *message)
{
    static const struct answer_problem open = {
        ANSWER_TIMEOUT, "the server cannot tell in time whether this was carried out before"};

    reply_with_problem(connection, message->ref, open);
}

/* Goes on with what the client sends. */
static void release(struct former *former, bool is_to_be_refused)
{
    struct connection *connection = former->connection;
    struct held_message *held = former->held;
    struct account before;

    if (held == NULL)
        return;
    former->held = NULL;
    timer_stop(&former->timer);
    connection->awaits_room = false;
    input_list_release(&connection->loop->inputs, &former->input);
    before = account_set_client(connection->loop->number);
    if (connection->state == CONNECTION_LIVE && is_to_be_refused)
        refuse(connection, &held->message);
    else if (connection->state == CONNECTION_LIVE)
        held->take(connection, &held->message);
    account_set(before);
    free_held(held);
}

enum former_state
former_hold(struct connection *connection, const struct client_message *message,
            void (*take)(struct connection *connection, const struct client_message *message))
{
    static const struct answer_problem busy = {ANSWER_FAILED,
                                               "the server is busy; send it again later"};
    struct former *former = waiting_former(connection);
    ws_loop *loop = connection->loop;

    if (former == NULL || former->is_known)
        return FORMER_KNOWN;
    if (former->refuses_until_ms != 0) {
        if (loop->timers.now_ms >= former->refuses_until_ms)
            return FORMER_KNOWN;
        refuse(connection, message);
        return FORMER_ANSWERED;
    }
    if (is_too_much(loop, bytes_of(message)) || !ask(former)) {
        reply_with_problem(connection, message->ref, busy);
        return FORMER_ANSWERED;
    }
    former->held = copy_message(loop, message);
    if (former->held == NULL) {
        connection_out_of_memory(connection);
        return FORMER_ANSWERED;
    }
    former->held->take = take;
    connection->awaits_room = true;
    timer_start(&loop->timers, &former->timer, HOLD_MS);
    return FORMER_HOLDS;
}

bool former_holds(const struct connection *connection)
{
    const struct former *former = waiting_former(connection);

    return former != NULL && former->held != NULL;
}

bool former_hold_input(const struct connection *connection, struct input *input)
{
    struct former *former = waiting_former(connection);

    if (former == NULL || former->held == NULL || former->input != NULL)
        return false;
    input_list_hold(input, &former->input);
    return true;
}

/* For a client whose past is known. NULL if memory ran out. */
static struct former *make_known(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    struct former *former = memory_zalloc(&manager->memory, sizeof *former);

    if (former == NULL)
        return NULL;
    former->manager = manager;
    former->connection = connection;
    former->timer.kind = TIMER_FORMER;
    former->is_known = true;
    if (waiting_set_former(connection, former))
        return former;
    former_free(former);
    return NULL;
}

bool former_await(struct connection *connection)
{
    struct former *former = waiting_former(connection);
    ws_loop *loop = connection->loop;

    if (former == NULL)
        former = make_known(connection);
    if (former == NULL)
        return false;
    former->awaits_until_ms =
        loop->timers.now_ms + loop->manager->options.answer_timeout_ms + ASK_AGAIN_MS;
    timer_start(&loop->timers, &former->timer, ASK_AGAIN_MS);
    return true;
}

/* --- the carrier's answer --------------------------------------------------------------------- */

/* False if memory ran out. Each entry is looked for among what is kept already. */
static bool read_note(struct former *former, const struct recall *recall)
{
    struct connection *connection = former->connection;
    ws_manager *manager = connection->loop->manager;
    struct kept_note_reader reader;
    struct kept_entry entry;
    bool is_news = !former->is_known;

    if (recall->value == NULL || connection->user == NULL ||
        !kept_note_begin(&reader, former->key, recall->value, recall->length,
                         connection->user->group->name))
        return true;
    loop_charge(connection->loop, (uint32_t)(recall->length / INPUT_BYTES_PER_UNIT));
    while (kept_note_next(&reader, &entry)) {
        ws_answer waiter;

        loop_charge(connection->loop, INPUT_COST_MESSAGE);
        if (!kept_answers_import(&manager->kept_answers, connection->id,
                                 connection->user->group->name, &entry,
                                 connection->loop->timers.now_ms, &waiter))
            return false;
        if (waiter.connection != 0)
            answers_post(manager, waiter, entry.is_error, entry.data, entry.length);
        is_news |= waiter.connection != 0;
    }
    if (is_news)
        client_note(manager, connection->id);
    return true;
}

/* Whether the note names a former one, which is to be asked for. */
static bool leads_on(struct former *former, const struct recall *recall)
{
    struct kept_note_reader reader;

    return !former->is_known && recall->value != NULL && former->n_followed < FOLLOWED_MAX &&
           kept_note_begin(&reader, former->key, recall->value, recall->length,
                           former->user_id) &&
           kept_note_read_former(&reader, former->key);
}

/* Refuses what waits. */
static void give_up(struct former *former)
{
    if (former->held == NULL)
        return;
    former->refuses_until_ms = former->connection->loop->timers.now_ms + REFUSE_MS;
    release(former, true);
}

static void recalled(ws_loop *loop, struct recall *recall)
{
    struct former *former = recall->owner;
    struct connection *connection = former->connection;
    bool is_read;

    former->recall = NULL;
    if (recall->is_unknown) {
        give_up(former); /* the next message asks again */
        return;
    }
    if (leads_on(former, recall)) {
        former->n_followed++;
        if (!ask(former))
            give_up(former);
        return;
    }
    if (!former->is_known)
        kept_note_end_former(&loop->manager->kept_answers, connection->id);
    is_read = read_note(former, recall);
    client_notes_forget(loop->manager);
    if (!is_read) {
        connection_out_of_memory(connection);
        return;
    }
    former->is_known = true;
    if (former->awaits_until_ms != 0)
        return;
    /* What was held may end the connection, or wait for an answer. */
    waiting_set_former(connection, NULL);
    release(former, false);
    former_free(former);
}

/* Chooses the next note to be asked for, unless a question is under way. False if none is to be
 * asked for. */
static bool choose_note(struct former *former)
{
    return !former->is_known || former->recall != NULL ||
           kept_answers_awaited(&former->manager->kept_answers, former->connection->id,
                                former->key, former->key);
}

/* A message has waited for too long, or another process's answer may be there. */
static void expired(struct timer *timer)
{
    struct former *former = of_timer(timer);
    ws_loop *loop = former->connection->loop;

    if (former->held != NULL) {
        give_up(former);
    } else if (loop->timers.now_ms >= former->awaits_until_ms || !choose_note(former)) {
        finish(former);
    } else {
        ask(former);
        timer_start(&loop->timers, timer, ASK_AGAIN_MS);
    }
}

void former_end(struct connection *connection)
{
    struct former *former = waiting_former(connection);

    /* A session of Socket.IO may go on with other sockets. */
    if (former != NULL)
        input_list_release(&connection->loop->inputs, &former->input);
    former_free(former);
    waiting_set_former(connection, NULL);
}

void former_init(ws_loop *loop)
{
    loop->timers.expired[TIMER_FORMER] = expired;
}
