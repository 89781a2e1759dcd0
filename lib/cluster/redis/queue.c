/* queue.c: the queue of events that wait to be stored. */
#include "cluster/redis/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digits.h"

/* An operation and four numbers, each with a blank. */
enum { KEEP_HEAD_SIZE = 2 + 4 * 21 + 1 };

void queue_init(struct queue *queue, const ws_allocator *memory, const char *producer_prefix,
                const char *own_producer)
{
    *queue = (struct queue){
        .memory = memory, .producer_prefix = producer_prefix, .own_producer = own_producer};
    queue->end = &queue->first;
}

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

/* Copies a text and a NUL to *at, and moves *at behind them. */
static struct piece put(char **at, const char *text, size_t length)
{
    struct piece piece = {*at, length};

    if (text == NULL)
        return (struct piece){NULL, 0};
    memcpy(*at, text, length);
    (*at)[length] = '\0';
    *at += length + 1;
    return piece;
}

static const ws_cluster_keep *keep_of(const ws_cluster_event *event)
{
    return event->size >= offsetof(ws_cluster_event, keep) + sizeof event->keep ? event->keep
                                                                                : NULL;
}

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

/* Room for what put_keep() writes. */
static size_t keep_bytes(const ws_cluster_keep *keep)
{
    return keep != NULL ? KEEP_HEAD_SIZE + length_of(keep->type) + length_of(keep->key) + 2 : 0;
}

static struct piece put_keep(char **at, const ws_cluster_keep *keep)
{
    static const char operations[2][2] = {{'n', 'k'}, {'a', 'r'}}; /* removes, has a key */
    struct piece piece = {*at, 0};

    piece.length = (size_t)snprintf(
        *at, keep_bytes(keep), "%c %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n%s",
        operations[keep->removes != 0][keep->key != NULL], keep->max_values, keep->max_bytes,
        keep->max_total_bytes, keep->bytes, text_of(keep->type), text_of(keep->key));
    *at += piece.length + 1;
    return piece;
}

static void fill(const struct queue *queue, struct pending *pending,
                 const ws_cluster_event *event, const char *producer, uint64_t sequence)
{
    size_t prefix_length = strlen(queue->producer_prefix);
    char digits[DECIMAL_MAX];
    const char *first = decimal_before(digits + sizeof digits, sequence);
    char *at = pending->texts;

    pending->producer_key = (struct piece){at, prefix_length + strlen(producer)};
    memcpy(at, queue->producer_prefix, prefix_length);
    at += prefix_length;
    put(&at, producer, strlen(producer));
    pending->sequence = put(&at, first, (size_t)(digits + sizeof digits - first));
    pending->target = put(&at, event->target, length_of(event->target));
    pending->exclude = put(&at, event->exclude, length_of(event->exclude));
    pending->event = put(&at, event->text, event->length);
    if (keep_of(event) != NULL)
        pending->keep = put_keep(&at, keep_of(event));
}

static bool fits(uint64_t used, size_t more, uint64_t max)
{
    return more <= max && used <= max - more;
}

static bool is_for_client(const ws_cluster_event *event)
{
    return event->size >= offsetof(ws_cluster_event, for_client) + sizeof event->for_client &&
           event->for_client != 0;
}

static bool has_room(const struct queue *queue, bool for_client, size_t bytes)
{
    return fits(queue->count, 1, queue->max_events) &&
           fits(queue->bytes, bytes, queue->max_bytes) &&
           (!for_client || (fits(queue->client_count, 1, (queue->max_events + 1) / 2) &&
                            fits(queue->client_bytes, bytes, queue->max_bytes / 2)));
}

int queue_push(struct queue *queue, const ws_cluster_event *event, void *receipt)
{
    const char *producer = event->producer != NULL ? event->producer : queue->own_producer;
    size_t bytes = sizeof(struct pending) + strlen(queue->producer_prefix) + strlen(producer) +
                   DECIMAL_MAX + length_of(event->target) + length_of(event->exclude) +
                   event->length + 5 + keep_bytes(keep_of(event));
    bool for_client = is_for_client(event);
    struct pending *pending;

    if (bytes > (for_client ? queue->max_bytes / 2 : queue->max_bytes))
        return WS_ERR_TOO_BIG;
    if (!has_room(queue, for_client, bytes))
        return WS_ERR_BACKPRESSURE;
    pending = memory_alloc(queue->memory, bytes);
    if (pending == NULL)
        return WS_ERR_NO_MEMORY;
    *pending = (struct pending){
        .receipt = receipt, .bytes = bytes, .scope = event->scope, .for_client = for_client};
    fill(queue, pending, event, producer,
         event->producer != NULL ? event->sequence : ++queue->own_sequence);
    *queue->end = pending;
    queue->end = &pending->next;
    queue->count++;
    queue->bytes += bytes;
    queue->client_count += for_client ? 1 : 0;
    queue->client_bytes += for_client ? bytes : 0;
    return WS_OK;
}

struct pending *queue_pop(struct queue *queue)
{
    struct pending *pending = queue->first;

    if (pending == NULL)
        return NULL;
    queue->first = pending->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    queue->count--;
    queue->bytes -= pending->bytes;
    queue->client_count -= pending->for_client ? 1 : 0;
    queue->client_bytes -= pending->for_client ? pending->bytes : 0;
    return pending;
}
