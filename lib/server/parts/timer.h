/* timer.h: deadlines of connections, one queue for each length of time.
 * All deadlines of a queue are equally far away when they are set, so a queue is sorted as it
 * is filled, and setting, stopping and finding the next are O(1). */
#ifndef WS_SERVER_TIMER_H
#define WS_SERVER_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer_queue;

/* A member of what waits. All zero: stopped. */
struct timer {
    struct timer *next;
    struct timer *previous;
    struct timer_queue *queue; /* NULL when stopped */
    uint64_t due_ms;
};

struct timer_queue {
    struct timer head; /* of a ring; its own queue is NULL */
    uint32_t duration_ms;
    size_t count;
};

static inline void timer_queue_init(struct timer_queue *queue, uint32_t duration_ms)
{
    queue->head.next = &queue->head;
    queue->head.previous = &queue->head;
    queue->head.queue = NULL;
    queue->duration_ms = duration_ms;
    queue->count = 0;
}

static inline void timer_stop(struct timer *timer)
{
    if (timer->queue != NULL) {
        timer->next->previous = timer->previous;
        timer->previous->next = timer->next;
        timer->queue->count--;
        timer->queue = NULL;
    }
}

/* Sets a timer to the queue's duration from now, whatever it was set to before. */
static inline void timer_start(struct timer *timer, struct timer_queue *queue, uint64_t now_ms)
{
    timer_stop(timer);
    timer->queue = queue;
    timer->due_ms = now_ms + queue->duration_ms;
    timer->next = &queue->head;
    timer->previous = queue->head.previous;
    timer->previous->next = timer;
    queue->head.previous = timer;
    queue->count++;
}

/* The timer that is due first, NULL if there is none. */
static inline struct timer *timer_queue_first(const struct timer_queue *queue)
{
    return queue->count > 0 ? queue->head.next : NULL;
}

#endif
