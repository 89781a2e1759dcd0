/* turn.c: a loop's life and its turns: timers, then what was called for it, in order. */
#include <string.h>

#include <ws_manager/loop.h>

#include "core/command.h"
#include "core/disconnect.h"
#include "core/loop.h"
#include "core/options.h"

/* Callbacks may send more without end: after so many batches the host gets its turn. */
enum { BATCHES_PER_TURN = 16 };

/* For how many commands the lock is held at once: other threads emit meanwhile. */
enum { UNPINNED_AT_ONCE = 1024 };

/* An inbox that was larger than this for a moment gives its memory back. */
enum { INBOX_KEPT = 4096 };

void ws_loop_options_init_size(ws_loop_options *options, size_t size)
{
    const ws_loop_options defaults = {.size = sizeof defaults};

    options_init(options, size, &defaults, sizeof defaults);
}

static bool pin_unnamed(ws_loop *loop)
{
    struct registry *registry = &loop->manager->registry;

    for (size_t kind = GROUP_EVERYONE; kind <= GROUP_RAW; kind++) {
        loop->unnamed[kind] = registry_pin(registry, (enum group_kind)kind, NULL, loop);
        if (loop->unnamed[kind] == NULL)
            return false;
    }
    return true;
}

static void unpin_unnamed(ws_loop *loop)
{
    for (size_t kind = GROUP_EVERYONE; kind <= GROUP_RAW; kind++)
        if (loop->unnamed[kind] != NULL)
            registry_unpin(&loop->manager->registry, loop->unnamed[kind]);
}

static int add_to_manager(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    uint32_t number = 0;
    int result = WS_OK;

    manager_lock(manager);
    while (number < MANAGER_MAX_LOOPS && manager->loops[number] != NULL)
        number++;
    if (number == MANAGER_MAX_LOOPS) {
        result = WS_ERR_LIMIT;
    } else if (!pin_unnamed(loop)) {
        unpin_unnamed(loop);
        result = WS_ERR_NO_MEMORY;
    } else {
        loop->number = number;
        manager->loops[number] = loop;
    }
    manager_unlock(manager);
    return result;
}

int ws_loop_new(ws_manager *manager, const ws_loop_options *options, uint64_t now_ms,
                ws_loop **loop)
{
    ws_loop_options copy;
    ws_loop *made;
    int result;

    ws_loop_options_init(&copy);
    if (manager == NULL || loop == NULL || !options_copy(&copy, sizeof copy, options))
        return WS_ERR_INVALID;
    made = memory_zalloc(&manager->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->manager = manager;
    made->options = copy;
    made->free_slot = SLOT_NONE;
    made->output_end = &made->output;
    timer_wheel_init(&made->timers, now_ms);
    result = add_to_manager(made);
    if (result != WS_OK) {
        memory_free(&manager->memory, made);
        return result;
    }
    manager_ref(manager);
    *loop = made;
    return WS_OK;
}

/* Gives back the last batch's pins and takes what has come since; false if that is nothing. */
static bool next_batch(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    struct inbox taken;
    bool kept;

    manager_lock(manager);
    for (size_t i = 0; i < loop->batch.count; i++) {
        command_unpin(manager, &loop->batch.items[i]);
        if (i % UNPINNED_AT_ONCE == UNPINNED_AT_ONCE - 1) {
            manager_unlock(manager);
            manager_lock(manager);
        }
    }
    kept = loop->batch.capacity <= INBOX_KEPT;
    if (!kept) {
        memory_free(&manager->memory, loop->batch.items);
        loop->batch = (struct inbox){0};
    }
    loop->batch.count = 0;
    taken = loop->inbox;
    loop->inbox = loop->batch;
    loop->batch = taken;
    loop->awake = false;
    manager_unlock(manager);
    return taken.count > 0;
}

uint64_t ws_loop_run(ws_loop *loop, uint64_t now_ms)
{
    ws_loop *previous;
    bool more = true;

    if (loop->busy > 0)
        return now_ms;
    previous = loop_enter(loop);
    loop->running = true;
    loop_busy(loop);
    connections_settle(loop);
    timer_wheel_advance(&loop->timers, now_ms);
    for (int batch = 0; batch < BATCHES_PER_TURN && more; batch++) {
        more = next_batch(loop);
        for (size_t i = 0; i < loop->batch.count; i++) {
            command_carry_out(loop, &loop->batch.items[i]);
            command_release(loop->manager, &loop->batch.items[i]);
        }
    }
    loop_idle(loop);
    loop->running = false;
    loop_leave(previous);
    return more ? now_ms : timer_wheel_deadline(&loop->timers);
}

/* Again while there are any, since on_disconnect may register another. */
static void end_connections(ws_loop *loop)
{
    while (loop->n_connections > 0)
        for (size_t i = 0; i < loop->n_slots; i++)
            if (loop->slots[i].connection != NULL)
                connection_end(loop->slots[i].connection, 1001, "server loop ended");
}

static void drop_commands(ws_loop *loop, struct inbox *inbox)
{
    for (size_t i = 0; i < inbox->count; i++) {
        command_release(loop->manager, &inbox->items[i]);
        command_unpin(loop->manager, &inbox->items[i]);
    }
    memory_free(&loop->manager->memory, inbox->items);
}

/* From here on no other thread can post to the loop. */
static void remove_from_manager(ws_loop *loop)
{
    ws_manager *manager = loop->manager;

    manager_lock(manager);
    drop_commands(loop, &loop->inbox);
    drop_commands(loop, &loop->batch);
    unpin_unnamed(loop);
    for (size_t i = 0; i < N_COUNTERS; i++)
        counter_add_shared(&manager->counters, (enum counter)i,
                           counter_read(&loop->counters, (enum counter)i));
    manager->loops[loop->number] = NULL;
    while (loop->wakers > 0)
        pthread_cond_wait(&manager->woken, &manager->lock);
    manager_unlock(manager);
}

void ws_loop_free(ws_loop *loop)
{
    ws_manager *manager;

    if (loop == NULL)
        return;
    manager = loop->manager;
    end_connections(loop);
    remove_from_manager(loop);
    if (loop->free_transport_pool != NULL)
        loop->free_transport_pool(loop);
    memory_free(&manager->memory, loop->slots);
    memory_free(&manager->memory, loop);
    manager_unref(manager);
}
