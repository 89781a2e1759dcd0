/* engine.c: a cluster's stream with its own thread. */
#include "support/engine.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <check.h>

enum {
    MOST_WAITING = 256, /* events that are not delivered yet */
    MOST_REQUESTS = 65
};

struct request {
    void *request;
    uint64_t after;
    uint32_t max_events;
};

struct engine {
    ws_manager *manager;
    size_t most_events;
    unsigned seed;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t work;
    ws_cluster_event *events; /* the event of position 1 first */
    size_t n_stored;
    size_t n_delivered;
    size_t n_fetched;
    struct request requests[MOST_REQUESTS]; /* oldest first */
    size_t n_requests;
    bool is_stopped;
};

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static int publish(const ws_cluster_event *event, void *receipt, void *data)
{
    struct engine *engine = data;
    int result = WS_OK;

    (void)receipt;
    pthread_mutex_lock(&engine->lock);
    if (engine->n_stored - engine->n_delivered >= MOST_WAITING ||
        engine->n_stored == engine->most_events) {
        result = WS_ERR_BACKPRESSURE;
    } else {
        ws_cluster_event *stored = &engine->events[engine->n_stored++];

        *stored = *event;
        stored->target = copy(event->target);
        stored->exclude = copy(event->exclude);
        stored->text = strndup(event->text, event->length);
        stored->position = engine->n_stored;
    }
    pthread_cond_signal(&engine->work);
    pthread_mutex_unlock(&engine->lock);
    return result;
}

static int fetch(uint64_t after, uint32_t max_events, void *request, void *data)
{
    struct engine *engine = data;

    pthread_mutex_lock(&engine->lock);
    ck_assert_uint_lt(engine->n_requests, MOST_REQUESTS);
    engine->requests[engine->n_requests++] = (struct request){request, after, max_events};
    pthread_cond_signal(&engine->work);
    pthread_mutex_unlock(&engine->lock);
    return WS_OK;
}

/* Stored events never move, so they are read without the lock. */
static void deliver_one(struct engine *engine)
{
    const ws_cluster_event *event = &engine->events[engine->n_delivered];
    static const struct timespec a_moment = {.tv_nsec = 100000};

    pthread_mutex_unlock(&engine->lock);
    while (ws_manager_cluster_deliver(engine->manager, event) != WS_OK)
        nanosleep(&a_moment, NULL);
    pthread_mutex_lock(&engine->lock);
    engine->n_delivered++;
}

static void answer_one(struct engine *engine)
{
    struct request request = engine->requests[0];
    size_t n = 1 + (size_t)rand_r(&engine->seed) % request.max_events;

    engine->n_requests--;
    memmove(engine->requests, engine->requests + 1, engine->n_requests * sizeof request);
    engine->n_fetched += n;
    pthread_mutex_unlock(&engine->lock);
    ws_manager_cluster_fetched(engine->manager, request.request, &engine->events[request.after],
                               n);
    pthread_mutex_lock(&engine->lock);
}

static void *run(void *argument)
{
    struct engine *engine = argument;

    pthread_mutex_lock(&engine->lock);
    while (!engine->is_stopped || engine->n_requests > 0) {
        if (engine->n_requests > 0)
            answer_one(engine);
        else if (engine->n_delivered < engine->n_stored)
            deliver_one(engine);
        else
            pthread_cond_wait(&engine->work, &engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

struct engine *engine_start(ws_manager *manager, size_t most_events)
{
    static const ws_cluster cluster = {
        .size = sizeof cluster, .publish = publish, .fetch = fetch};
    struct engine *engine = calloc(1, sizeof *engine);

    ck_assert_ptr_nonnull(engine);
    engine->manager = manager;
    engine->most_events = most_events;
    engine->events = calloc(most_events, sizeof *engine->events);
    ck_assert_ptr_nonnull(engine->events);
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->work, NULL);
    ck_assert_int_eq(ws_manager_set_cluster(manager, &cluster, engine), WS_OK);
    ck_assert_int_eq(ws_manager_cluster_start(manager, "aaaabbbb22", 0, NULL, 0), WS_OK);
    ck_assert_int_eq(pthread_create(&engine->thread, NULL, run, engine), 0);
    return engine;
}

size_t engine_stop(struct engine *engine)
{
    size_t n_fetched;

    pthread_mutex_lock(&engine->lock);
    engine->is_stopped = true;
    pthread_cond_signal(&engine->work);
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->thread, NULL);
    ck_assert_int_eq(ws_manager_set_cluster(engine->manager, NULL, NULL), WS_OK);
    for (size_t i = 0; i < engine->n_stored; i++) {
        free((void *)(uintptr_t)engine->events[i].target);
        free((void *)(uintptr_t)engine->events[i].exclude);
        free((void *)(uintptr_t)engine->events[i].text);
    }
    n_fetched = engine->n_fetched;
    free(engine->events);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->work);
    free(engine);
    return n_fetched;
}
