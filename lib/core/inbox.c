/* inbox.c: posts commands to loops and wakes the loops. */
#include "core/inbox.h"

#include <string.h>

#include "core/backlog.h"
#include "core/costs.h"

/* Bytes that are copied to a recipient, behind others, in the time of a delivery; and the least
 * that such an event counts for. */
enum { JOINED_BYTES_PER_DELIVERY = 4096, JOINED_BYTES_LEAST = 128 };

static _Thread_local ws_loop *entered;

ws_loop *loop_enter(ws_loop *loop)
{
    ws_loop *previous = entered;

    entered = loop;
    return previous;
}

void loop_leave(ws_loop *previous)
{
    entered = previous;
}

ws_loop *loop_entered(void)
{
    return entered;
}

void loop_charge_running(const ws_manager *manager, uint32_t cost)
{
    if (entered != NULL && entered->manager == manager && entered->running)
        loop_charge(entered, cost);
}

bool loop_is_entered(const ws_loop *loop)
{
    return loop == entered;
}

void posting_begin(struct posting *posting, ws_manager *manager)
{
    posting->manager = manager;
    posting->n_wake = 0;
    manager_lock(manager);
}

/* ws_loop_free() waits until no thread is calling wake(), so `wake` is never called after
 * it. */
void posting_end(struct posting *posting)
{
    ws_manager *manager = posting->manager;

    manager_unlock(manager);
    if (posting->n_wake == 0)
        return;
    for (unsigned i = 0; i < posting->n_wake; i++)
        posting->wake[i]->options.wake(posting->wake[i]->options.user_data);
    manager_lock(manager);
    for (unsigned i = 0; i < posting->n_wake; i++)
        posting->wake[i]->wakers--;
    pthread_cond_broadcast(&manager->woken);
    manager_unlock(manager);
}

int loop_reserve(ws_loop *loop, bool limited)
{
    return loop_reserve_n(loop, 1, limited);
}

int loop_reserve_n(ws_loop *loop, size_t n, bool limited)
{
    struct inbox *inbox = &loop->inbox;
    struct command *items;

    manager_assert_locked(loop->manager);
    if (limited && inbox->n_of[account_now().kind] >= loop->manager->options.max_pending)
        return WS_ERR_BACKPRESSURE;
    items = memory_grow(&loop->manager->memory, inbox->items, sizeof *items,
                        inbox->count + n - 1, 64, &inbox->capacity);
    if (items == NULL)
        return WS_ERR_NO_MEMORY;
    inbox->items = items;
    return WS_OK;
}

/* Whether the posting will wake the loop, which may have run since if the lock was given back. */
static bool is_to_wake(const struct posting *posting, const ws_loop *loop)
{
    unsigned i = 0;

    while (loop->wakers > 0 && i < posting->n_wake && posting->wake[i] != loop)
        i++;
    return loop->wakers > 0 && i < posting->n_wake;
}

void posting_wake(struct posting *posting, ws_loop *loop)
{
    manager_assert_locked(posting->manager);
    if (loop->awake || loop == entered || loop->options.wake == NULL)
        return;
    loop->awake = true;
    if (is_to_wake(posting, loop))
        return;
    loop->wakers++;
    posting->wake[posting->n_wake++] = loop;
}

/* The deliveries of an event. One that will be joined with the event before it (sending/bundle.h)
 * adds only bytes to what each recipient is sent anyway. Counted in full, 64 messages of a client
 * to a room of 1,000 would be delivered eight at a time, at 1.4 times the cost. */
static uint32_t event_work(const ws_loop *loop, const struct command *event)
{
    const struct inbox *inbox = &loop->inbox;
    uint64_t recipients = event->share != NULL ? event->share->count : loop->n_connections;
    uint64_t bytes = event->message->frames.length;

    if (inbox->count == 0 || bytes >= JOINED_BYTES_PER_DELIVERY || loop->n_custom > 0 ||
        !command_can_be_joined(&inbox->items[inbox->count - 1], event->share) ||
        !command_can_be_joined(event, event->share))
        return (uint32_t)recipients;
    if (bytes < JOINED_BYTES_LEAST)
        bytes = JOINED_BYTES_LEAST;
    return (uint32_t)(recipients * bytes / JOINED_BYTES_PER_DELIVERY);
}

/* The work that a command causes in its loop, in deliveries. A client pays for compressing the
 * messages that it causes, although not all of their recipients may want that. */
static uint32_t command_work(const ws_loop *loop, const struct command *command)
{
    const ws_message *message = command->message;
    uint32_t work = 1;

    if (command->kind == COMMAND_EVENT)
        work += event_work(loop, command);
    if (message != NULL && account_is_client() &&
        message->payload_bytes >= loop->manager->compressed_from)
        work += compressing_cost(message->payload_bytes);
    return work;
}

void posting_push(struct posting *posting, ws_loop *loop, const struct command *command)
{
    struct command *added = &loop->inbox.items[loop->inbox.count++];

    manager_assert_locked(posting->manager);
    *added = *command;
    added->position = posting->manager->position;
    added->account = account_now();
    loop->inbox.n_of[added->account.kind]++;
    if (command->kind != COMMAND_CONNECT && added->account.kind != ACCOUNT_APPLICATION) {
        added->work = command->work + command_work(loop, command);
        backlog_add(loop, added->account, added->work);
    } else if (command->kind != COMMAND_CONNECT) {
        added->work = 0; /* not added, so not to be taken off */
    }
    posting_wake(posting, loop);
}

void loop_wake(ws_loop *loop)
{
    struct posting posting;

    loop_assert_thread(loop);
    posting_begin(&posting, loop->manager);
    posting_wake(&posting, loop);
    posting_end(&posting);
}

struct close_reason *close_reason_new(const ws_allocator *memory, uint16_t code,
                                      const char *text, size_t length)
{
    struct close_reason *reason = memory_alloc(memory, sizeof *reason + length + 1);

    if (reason == NULL)
        return NULL;
    reason->code = code;
    if (length > 0)
        memcpy(reason->text, text, length);
    reason->text[length] = '\0';
    return reason;
}
