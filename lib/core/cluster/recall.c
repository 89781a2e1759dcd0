/* recall.c: asks a cluster's carrier for what it remembers. */
#include "core/cluster/recall.h"

#include <string.h>

#include "core/inbox.h"

enum { RECALLS_MAX = 10000 }; /* as cluster.h says */

bool cluster_remembers(const ws_manager *manager)
{
    return manager->has_cluster && manager->cluster.remember != NULL;
}

int cluster_remember(const ws_manager *manager, const char *key, uint64_t rank,
                     const struct buffer *value, uint64_t ttl_ms)
{
    if (value != NULL && value->failed)
        return WS_ERR_NO_MEMORY;
    return manager->cluster.remember(key, rank, value != NULL ? value->data : NULL,
                                     value != NULL ? value->length : 0, ttl_ms,
                                     manager->cluster_data);
}

static void destroy(struct recall *recall)
{
    const ws_allocator *memory = &recall->manager->memory;

    memory_free(memory, recall->value);
    memory_free(memory, recall);
}

static struct recall *of_call(struct loop_call *call)
{
    return (struct recall *)(void *)((char *)call - offsetof(struct recall, call));
}

static void run(ws_loop *loop, struct loop_call *call)
{
    struct recall *recall = of_call(call);

    if (!recall->is_abandoned)
        recall->done(loop, recall);
    destroy(recall);
}

static void drop(struct loop_call *call)
{
    struct recall *recall = of_call(call);

    manager_assert_locked(recall->manager);
    if (recall->is_abandoned)
        destroy(recall);
    else
        recall->is_stuck = true;
}

/* Counts a question, unless there are too many. */
static bool count(ws_manager *manager)
{
    bool has_room;

    manager_lock(manager);
    has_room = manager->n_recalls < RECALLS_MAX;
    manager->n_recalls += has_room;
    manager_unlock(manager);
    return has_room;
}

static void uncount(ws_manager *manager)
{
    manager_lock(manager);
    manager->n_recalls--;
    manager_unlock(manager);
}

struct recall *cluster_recall(ws_loop *loop, const char *key,
                              void (*done)(ws_loop *loop, struct recall *recall), void *owner)
{
    ws_manager *manager = loop->manager;
    struct recall *recall;

    if (!cluster_remembers(manager) || !count(manager))
        return NULL;
    recall = memory_zalloc(&manager->memory, sizeof *recall);
    if (recall != NULL) {
        recall->call = (struct loop_call){run, drop};
        recall->manager = manager;
        recall->loop = loop->number;
        recall->done = done;
        recall->owner = owner;
        if (manager->cluster.recall(key, recall, manager->cluster_data) == WS_OK)
            return recall;
        memory_free(&manager->memory, recall);
    }
    uncount(manager);
    return NULL;
}

void cluster_recall_abandon(struct recall *recall)
{
    ws_manager *manager = recall->manager;
    bool is_stuck;

    manager_lock(manager);
    recall->is_abandoned = true;
    is_stuck = recall->is_stuck;
    manager_unlock(manager);
    if (is_stuck)
        destroy(recall);
}

/* Posts the answer. True if the recall is of no use to anybody. */
static bool post(struct posting *posting, struct recall *recall)
{
    ws_loop *loop = posting->manager->loops[recall->loop];

    if (recall->is_abandoned)
        return true;
    if (loop != NULL && loop_reserve(loop, false) == WS_OK)
        posting_push(posting, loop,
                     &(struct command){.kind = COMMAND_CALL, .call = &recall->call});
    else
        recall->is_stuck = true;
    return false;
}

int ws_manager_cluster_recalled(ws_manager *manager, void *request, const void *value,
                                size_t length)
{
    struct recall *recall = request;
    struct posting posting;
    bool is_useless;

    if (manager == NULL || request == NULL || (value == NULL && length > 0))
        return WS_ERR_INVALID;
    if (length > 0)
        recall->value = memory_copy_text(&manager->memory, value, length);
    if (recall->value != NULL)
        recall->length = length;
    recall->is_unknown = value != NULL && recall->value == NULL;
    posting_begin(&posting, manager);
    manager->n_recalls--;
    is_useless = post(&posting, recall);
    posting_end(&posting);
    if (is_useless)
        destroy(recall);
    return WS_OK;
}
