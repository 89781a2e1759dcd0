/* memories.c: keeps values for the manager for some time, and reads them: the sessions that
 * clients may recover on any process. Both wait while Redis is away. */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster/redis/scripts.h"

enum {
    VALUES_MAX = 65536, /* that wait */
    VALUES_MAX_BYTES = 64 << 20,
    BATCH_MAX = 64, /* values of one script, and questions of one MGET */
    BATCH_MAX_BYTES = 256 << 10,
    QUESTIONS_FIRST = 8, /* of the first MGET, whose reply then has at most 512 KiB */
    KEY_SIZE = WS_NAME_MAX + 96,
    KEY_TEXT_MAX = 64,
    REFUSED_MS = 1000,   /* until values are sent again */
    UNANSWERED_MS = 100, /* until questions are sent again */
    USEFUL_MS = 5000     /* an answer that comes later is of no use */
};

struct memory_value {
    struct memory_value *next;
    struct memory_value **link;     /* the pointer to this one */
    struct memory_value *in_bucket; /* the next unsent one */
    bool is_unsent;                 /* a newer value of the same key takes its place */
    size_t bytes;                   /* of this block */
    uint64_t rank_number;
    char key[KEY_SIZE];
    char rank[NUMBER_SIZE];
    char ttl_ms[NUMBER_SIZE];
    size_t length;
    char value[];
};

struct memory_question {
    struct memory_question *next;
    void *request;
    uint64_t after;    /* values that were pushed before, and have to be stored before */
    uint64_t until_ms; /* when it is given up; 0: nothing has gone wrong yet */
    char key[KEY_SIZE];
};

void memories_init(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;

    memories->values_end = &memories->values;
    memories->questions_end = &memories->questions;
    memories->waiting_end = &memories->waiting;
    batch_limit_init(&memories->batch, BATCH_MAX, BATCH_MAX);
    batch_limit_init(&memories->page, QUESTIONS_FIRST, BATCH_MAX);
}

static bool write_key(const struct ws_redis *redis, const char *key, char text[KEY_SIZE])
{
    return strlen(key) <= KEY_TEXT_MAX &&
           snprintf(text, KEY_SIZE, "%s%s", redis->keys.session_prefix, key) < KEY_SIZE;
}

/* --- what is not sent yet, with the lock held ----------------------------------------------- */

/* FNV-1a. Clients do not choose the keys. */
static struct memory_value **bucket_of(struct memories *memories, const char *key)
{
    uint32_t hash = 2166136261;

    for (; *key != '\0'; key++)
        hash = (hash ^ (uint8_t)*key) * 16777619;
    return &memories->unsent[(hash ^ hash >> 16) % MEMORIES_BUCKETS];
}

static struct memory_value *find_unsent(struct memories *memories, const char *key)
{
    struct memory_value *value = *bucket_of(memories, key);

    while (value != NULL && strcmp(value->key, key) != 0)
        value = value->in_bucket;
    return value;
}

static void add_unsent(struct memories *memories, struct memory_value *value)
{
    struct memory_value **bucket = bucket_of(memories, value->key);

    value->is_unsent = true;
    value->in_bucket = *bucket;
    *bucket = value;
}

static void remove_unsent(struct memories *memories, struct memory_value *value)
{
    struct memory_value **link = bucket_of(memories, value->key);

    if (!value->is_unsent)
        return;
    while (*link != value)
        link = &(*link)->in_bucket;
    *link = value->in_bucket;
    value->is_unsent = false;
}

static void insert(struct memories *memories, struct memory_value *value,
                   struct memory_value **link, struct memory_value *next)
{
    value->link = link;
    value->next = next;
    *link = value;
    if (next != NULL)
        next->link = &value->next;
    else
        memories->values_end = &value->next;
    memories->bytes += value->bytes;
    add_unsent(memories, value);
}

/* Adds a value, at the place of an older one with its key if that was not sent. *useless is to be
 * freed, or NULL: the older one, or `value` itself. */
static int push(struct memories *memories, struct memory_value *value,
                struct memory_value **useless)
{
    struct memory_value *former = find_unsent(memories, value->key);

    *useless = value;
    if (former != NULL && former->rank_number > value->rank_number)
        return WS_OK;
    if ((former == NULL && memories->n_values >= VALUES_MAX) ||
        memories->bytes - (former != NULL ? former->bytes : 0) + value->bytes >
            VALUES_MAX_BYTES)
        return WS_ERR_BACKPRESSURE;
    *useless = former;
    if (former != NULL) {
        remove_unsent(memories, former);
        memories->bytes -= former->bytes;
        insert(memories, value, former->link, former->next);
    } else {
        insert(memories, value, memories->values_end, NULL);
        memories->n_values++;
        memories->n_pushed++;
    }
    return WS_OK;
}

/* --- what the manager calls, on any thread ---------------------------------------------------- */

int memories_push(struct ws_redis *redis, const char *key, uint64_t rank, const void *value,
                  size_t length, uint64_t ttl_ms)
{
    struct memory_value *made = memory_alloc(&redis->memory, sizeof *made + length);
    struct memory_value *useless = made;
    int result = WS_ERR_INVALID;

    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->bytes = sizeof *made + length;
    made->rank_number = rank;
    made->length = length;
    if (length > 0)
        memcpy(made->value, value, length);
    snprintf(made->rank, sizeof made->rank, "%" PRIu64, rank);
    snprintf(made->ttl_ms, sizeof made->ttl_ms, "%" PRIu64, ttl_ms > 0 ? ttl_ms : 1);
    if (write_key(redis, key, made->key)) {
        lock_acquire(&redis->lock);
        result = push(&redis->memories, made, &useless);
        lock_release(&redis->lock);
    }
    memory_free(&redis->memory, useless);
    return result;
}

int memories_ask(struct ws_redis *redis, const char *key, void *request)
{
    struct memories *memories = &redis->memories;
    struct memory_question *made = memory_alloc(&redis->memory, sizeof *made);

    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->next = NULL;
    made->request = request;
    made->until_ms = 0;
    if (!write_key(redis, key, made->key)) {
        memory_free(&redis->memory, made);
        return WS_ERR_INVALID;
    }
    lock_acquire(&redis->lock);
    made->after = memories->n_pushed;
    *memories->questions_end = made;
    memories->questions_end = &made->next;
    lock_release(&redis->lock);
    return WS_OK;
}

/* --- errors ----------------------------------------------------------------------------------- */

static bool contains_any(const char *why, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        if (strstr(why, *texts) != NULL)
            return true;
    return false;
}

/* True for errors that a new session must examine, as those of events (writer.c). Missing
 * rights are not among them, because events may be allowed. A script's error is in the middle
 * of a longer text. */
static bool needs_new_session(const char *why)
{
    static const char *const texts[] = {"READONLY",    "MOVED ",     "ASK ",
                                        "CLUSTERDOWN", "MASTERDOWN", NULL};

    return contains_any(why, texts);
}

/* True for errors that pass: what Redis refused is sent again. */
static bool is_temporary(const char *why)
{
    static const char *const texts[] = {"TRYAGAIN", "BUSY",       "OOM ", "LOADING",
                                        "MISCONF",  "NOREPLICAS", NULL};

    return contains_any(why, texts);
}

/* --- keeping ---------------------------------------------------------------------------------- */

static bool has_values(struct ws_redis *redis)
{
    bool has;

    lock_acquire(&redis->lock);
    has = redis->memories.values != NULL;
    lock_release(&redis->lock);
    return has;
}

/* The first values, as far as they are not too many or too large together. From now on they are
 * not replaced. */
static size_t list_batch(struct ws_redis *redis, struct memory_value *batch[BATCH_MAX])
{
    struct memories *memories = &redis->memories;
    struct memory_value *value;
    size_t bytes = 0;
    size_t n = 0;

    lock_acquire(&redis->lock);
    value = memories->values;
    while (value != NULL && n < redis->memories.batch.events &&
           (n == 0 || bytes + value->bytes <= BATCH_MAX_BYTES)) {
        bytes += value->bytes;
        batch[n++] = value;
        remove_unsent(memories, value);
        value = value->next;
    }
    lock_release(&redis->lock);
    return n;
}

static void send_values(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;
    struct command *command = &redis->command;
    struct memory_value *batch[BATCH_MAX];
    size_t n = list_batch(redis, batch);
    char n_keys[NUMBER_SIZE];

    if (n == 0)
        return;
    snprintf(n_keys, sizeof n_keys, "%zu", n);
    command_script(redis, script_remember, n_keys);
    for (size_t i = 0; i < n; i++)
        command_add_text(command, batch[i]->key);
    for (size_t i = 0; i < n; i++) {
        command_add_text(command, batch[i]->rank);
        command_add_text(command, batch[i]->ttl_ms);
        command_add(command, batch[i]->value, batch[i]->length);
    }
    if (!link_send(&redis->writing, REQUEST_REMEMBER, command, redis->now_ms)) {
        carrier_fail(redis, redis->writing.error);
        return;
    }
    memories->n_values_sent = n;
    if (n == 1)
        link_may_take_long(&redis->writing);
}

static struct memory_value *pop_value(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;
    struct memory_value *value;

    lock_acquire(&redis->lock);
    value = memories->values;
    if (value != NULL) {
        memories->values = value->next;
        if (value->next == NULL)
            memories->values_end = &memories->values;
        else
            value->next->link = &memories->values;
        remove_unsent(memories, value);
        memories->n_values--;
        memories->bytes -= value->bytes;
    }
    lock_release(&redis->lock);
    return value;
}

static void drop_values(struct ws_redis *redis, size_t n)
{
    redis->memories.n_settled += n;
    for (; n > 0; n--)
        memory_free(&redis->memory, pop_value(redis));
}

/* Values that Redis refuses for good are dropped: the manager repeats them, and they must not
 * keep events from being stored. */
void memories_kept(struct ws_redis *redis, const redisReply *reply)
{
    struct memories *memories = &redis->memories;
    const char *why = reply->type == REDIS_REPLY_ERROR ? reply->str : NULL;
    size_t n = memories->n_values_sent;

    memories->n_values_sent = 0;
    if (why != NULL && needs_new_session(why)) {
        carrier_fail(redis, why);
        return;
    }
    if (why != NULL)
        memories->retry_ms = redis->now_ms + REFUSED_MS;
    else
        batch_limit_passed(&memories->batch, n, 0);
    if (why == NULL || !is_temporary(why))
        drop_values(redis, n);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The question behind another one; NULL: the first one. */
static struct memory_question *question_after(struct ws_redis *redis,
                                              struct memory_question *question)
{
    struct memory_question *next;

    lock_acquire(&redis->lock);
    next = question != NULL ? question->next : redis->memories.questions;
    lock_release(&redis->lock);
    return next;
}

static void send_questions(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;
    struct memory_question *question = question_after(redis, NULL);
    struct command *command = &redis->command;
    size_t n = 0;
    /* A question waits for the values before it. While Redis refuses them, it is asked without
     * them, because Redis may have an older value (answer_or_wait()). */
    uint64_t before = redis->now_ms < memories->retry_ms
                          ? UINT64_MAX
                          : memories->n_settled + memories->n_values_sent;

    if (question == NULL || question->after > before)
        return;
    command->count = 0;
    command_add_text(command, "MGET");
    for (; question != NULL && question->after <= before && n < memories->page.events; n++) {
        command_add_text(command, question->key);
        question = question_after(redis, question);
    }
    if (!link_send(&redis->writing, REQUEST_RECALL, command, redis->now_ms)) {
        carrier_fail(redis, redis->writing.error);
        return;
    }
    memories->n_questions_sent = n;
    if (n == 1)
        link_may_take_long(&redis->writing);
}

/* Takes out the oldest question; NULL: there is none. */
static struct memory_question *pop_question(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;
    struct memory_question *question;

    lock_acquire(&redis->lock);
    question = memories->questions;
    if (question != NULL) {
        memories->questions = question->next;
        if (question->next == NULL)
            memories->questions_end = &memories->questions;
    }
    lock_release(&redis->lock);
    return question;
}

/* Answers a question with a value as the script has stored it; NULL: there is none, or, if it
 * `is_unknown`, Redis has not answered. */
static void answer_question(struct ws_redis *redis, struct memory_question *question,
                            const redisReply *stored, bool is_unknown)
{
    const char *blank = NULL;

    redis->memories.n_answered++;
    if (stored != NULL && stored->type == REDIS_REPLY_STRING)
        blank = memchr(stored->str, ' ', stored->len);
    if (blank != NULL)
        ws_manager_cluster_recalled(redis->manager, question->request, blank + 1,
                                    (size_t)(stored->str + stored->len - (blank + 1)));
    else
        ws_manager_cluster_recalled(redis->manager, question->request, is_unknown ? "" : NULL,
                                    0);
    memory_free(&redis->memory, question);
}

/* The same for the oldest question. False if there is none. */
static bool answer(struct ws_redis *redis, const redisReply *stored, bool is_unknown)
{
    struct memory_question *question = pop_question(redis);

    if (question != NULL)
        answer_question(redis, question, stored, is_unknown);
    return question != NULL;
}

/* --- questions that wait for values ----------------------------------------------------------- */

/* That there is no value is true when those that were pushed before are stored: until then the
 * question waits. */
static void answer_or_wait(struct ws_redis *redis, const redisReply *stored)
{
    struct memories *memories = &redis->memories;
    struct memory_question *question = pop_question(redis);

    if (question == NULL)
        return;
    if (question->after <= memories->n_settled ||
        (stored != NULL && stored->type == REDIS_REPLY_STRING)) {
        answer_question(redis, question, stored, false);
        return;
    }
    if (question->until_ms == 0)
        question->until_ms = redis->now_ms + USEFUL_MS;
    question->next = NULL;
    *memories->waiting_end = question;
    memories->waiting_end = &question->next;
}

static struct memory_question *pop_waiting(struct memories *memories)
{
    struct memory_question *question = memories->waiting;

    memories->waiting = question->next;
    if (question->next == NULL)
        memories->waiting_end = &memories->waiting;
    return question;
}

/* Asks again, before all others. */
static void push_first(struct ws_redis *redis, struct memory_question *question)
{
    struct memories *memories = &redis->memories;

    lock_acquire(&redis->lock);
    question->next = memories->questions;
    memories->questions = question;
    if (question->next == NULL)
        memories->questions_end = &question->next;
    lock_release(&redis->lock);
}

/* The questions that have waited for values that are stored now are asked again; others are given
 * up after a while. */
static void run_waiting(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;

    while (memories->waiting != NULL) {
        if (redis->now_ms >= memories->waiting->until_ms)
            answer_question(redis, pop_waiting(memories), NULL, true);
        else if (memories->waiting->after <= memories->n_settled &&
                 memories->n_questions_sent == 0)
            push_first(redis, pop_waiting(memories));
        else
            break;
    }
}

/* Redis did not answer the questions: they are asked again for some time. */
static void postpone(struct ws_redis *redis, size_t n)
{
    struct memories *memories = &redis->memories;
    struct memory_question *question = question_after(redis, NULL);
    size_t n_late = 0;

    memories->ask_ms = redis->now_ms + UNANSWERED_MS;
    for (; n > 0; n--, question = question_after(redis, question)) {
        if (question->until_ms == 0)
            question->until_ms = redis->now_ms + USEFUL_MS;
        n_late += redis->now_ms >= question->until_ms;
    }
    for (; n_late > 0; n_late--) /* the oldest were refused first */
        answer(redis, NULL, true);
}

static size_t bytes_of(const redisReply *reply)
{
    size_t bytes = 0;

    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_STRING)
            bytes += reply->element[i]->len;
    return bytes;
}

void memories_recalled(struct ws_redis *redis, const redisReply *reply)
{
    struct memories *memories = &redis->memories;
    const char *why = reply->type == REDIS_REPLY_ERROR ? reply->str : NULL;
    size_t n = memories->n_questions_sent;
    bool is_whole = reply->type == REDIS_REPLY_ARRAY && reply->elements == n;

    memories->n_questions_sent = 0;
    if (why != NULL && (needs_new_session(why) || is_temporary(why))) {
        postpone(redis, n);
        if (needs_new_session(why))
            carrier_fail(redis, why);
        return;
    }
    if (is_whole)
        batch_limit_passed(&memories->page, n, bytes_of(reply));
    for (size_t i = 0; i < n; i++)
        answer_or_wait(redis, is_whole ? reply->element[i] : NULL);
}

/* --- both ------------------------------------------------------------------------------------- */

void memories_run(struct ws_redis *redis)
{
    struct memories *memories = &redis->memories;

    if (carrier_is_up(redis) && memories->n_values_sent == 0 &&
        redis->now_ms >= memories->retry_ms)
        send_values(redis);
    run_waiting(redis);
    if (carrier_is_up(redis) && memories->n_questions_sent == 0 &&
        redis->now_ms >= memories->ask_ms)
        send_questions(redis);
}

void memories_failed(struct ws_redis *redis, bool was_cut)
{
    struct memories *memories = &redis->memories;

    if (memories->n_values_sent > 0)
        batch_limit_failed(&memories->batch, (uint32_t)memories->n_values_sent,
                           memories->n_settled, was_cut);
    if (memories->n_questions_sent > 0)
        batch_limit_failed(&memories->page, (uint32_t)memories->n_questions_sent,
                           memories->n_answered, was_cut);
    if (memories->n_values_sent > 0 &&
        batch_limit_is_hopeless(&memories->batch, memories->n_settled))
        drop_values(redis, 1);
    if (memories->n_questions_sent > 0 &&
        batch_limit_is_hopeless(&memories->page, memories->n_answered))
        answer(redis, NULL, true);
    memories_end(redis);
}

uint64_t memories_deadline(struct ws_redis *redis)
{
    const struct memories *memories = &redis->memories;
    uint64_t deadline_ms =
        memories->waiting != NULL ? memories->waiting->until_ms : WS_NO_DEADLINE;

    if (!carrier_is_up(redis))
        return deadline_ms;
    if (redis->now_ms < memories->retry_ms && memories->retry_ms < deadline_ms &&
        has_values(redis))
        deadline_ms = memories->retry_ms;
    if (redis->now_ms < memories->ask_ms && memories->ask_ms < deadline_ms &&
        question_after(redis, NULL) != NULL)
        deadline_ms = memories->ask_ms;
    return deadline_ms;
}

void memories_end(struct ws_redis *redis)
{
    redis->memories.n_values_sent = 0;
    redis->memories.n_questions_sent = 0;
}

void memories_give_up(struct ws_redis *redis)
{
    struct memory_value *value;

    while ((value = pop_value(redis)) != NULL)
        memory_free(&redis->memory, value);
    while (answer(redis, NULL, true))
        ;
    while (redis->memories.waiting != NULL)
        answer_question(redis, pop_waiting(&redis->memories), NULL, true);
}
