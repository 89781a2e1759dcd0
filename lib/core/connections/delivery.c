/* delivery.c: delivers an event to its recipients on one loop, in slices. */
#include "core/connections/delivery.h"

#include "core/connections/doom.h"
#include "core/connections/slow_client.h"

enum {
    EVERYONE_AT_ONCE = 64,
    PREFETCHED = 4 /* members ahead: 10,000 connections do not fit in a near cache */
};

/* --- to one connection ------------------------------------------------------------------------ */

static int send_to_transport(struct connection *connection, ws_message *message, bool *kept)
{
    const struct custom_connection *custom = (const struct custom_connection *)connection;
    int result;

    if (connection->transport == TRANSPORT_CUSTOM)
        return custom->transport->send(message, custom->transport_data);
    result = manager_builtin(connection->loop->manager, connection->transport)
                 ->send(connection, message);
    *kept = result == WS_OK || result == WS_ERR_BACKPRESSURE;
    return result;
}

/* A message for which the client has no room. */
static void drop_for_slow(struct connection *connection, uint16_t n_messages)
{
    counter_add(&connection->loop->counters, COUNTER_drop_slow_client, n_messages);
    if (!slow_client_is_kept(connection))
        connection_doom(connection, DOOM_TOO_SLOW);
}

static int hand_over(struct connection *connection, ws_message *message, bool *kept)
{
    struct counters *counters = &connection->loop->counters;
    uint16_t n_messages = message->frames.n_frames;
    uint32_t length =
        message->payload_bytes; /* read now: the transport may release the last reference */
    int result;

    *kept = false;
    if (connection->state != CONNECTION_LIVE) {
        counter_add(counters, COUNTER_drop_gone, n_messages);
        return WS_ERR_CLOSED;
    }
    result = send_to_transport(connection, message, kept);
    if (result == WS_OK || result == WS_ERR_BACKPRESSURE) {
        counter_add(counters, COUNTER_deliveries, n_messages);
        counter_add(counters, COUNTER_bytes, length);
    } else if (result == WS_ERR_NO_MEMORY) {
        connection_out_of_memory(connection);
    } else if (result == WS_ERR_INVALID) {
        counter_add(counters, COUNTER_drop_binary, n_messages);
    } else {
        drop_for_slow(connection, n_messages);
    }
    return result;
}

bool connection_hand_over(struct connection *connection, ws_message *message)
{
    bool kept;

    loop_assert_thread(connection->loop);
    hand_over(connection, message, &kept);
    return kept;
}

int connection_give(struct connection *connection, ws_message *message)
{
    bool kept;
    int result = hand_over(connection, message, &kept);

    loop_assert_thread(connection->loop);
    if (!kept)
        ws_message_unref(message);
    return result;
}

void connection_deliver(struct connection *connection, ws_message *message)
{
    connection_give(connection, ws_message_ref(message));
}

static void deliver_own(struct connection *connection, ws_message *message)
{
    if (message == NULL) {
        connection_out_of_memory(connection);
        return;
    }
    message->frames.is_own = true;
    if (connection_space(connection) != NULL)
        message->form = MESSAGE_PACKET;
    connection_give(connection, message);
}

void connection_deliver_text(struct connection *connection, struct buffer *buffer)
{
    deliver_own(connection, manager_message(connection->loop->manager, buffer));
}

void connection_deliver_id(struct connection *connection, struct buffer *buffer,
                           uint64_t position)
{
    ws_message *message = manager_message(connection->loop->manager, buffer);

    if (message != NULL) {
        message->position = position;
        message->has_id = true;
    }
    deliver_own(connection, message);
}

/* --- to many --------------------------------------------------------------------------------- */

/* The lock is needed because another thread may register a connection meanwhile, which moves
 * the slots. */
size_t everyone_below(ws_loop *loop, uint32_t *below, struct connection **found, size_t max)
{
    size_t count = 0;

    manager_lock(loop->manager);
    while (count < max) {
        uint32_t slot = slots_below(&loop->slots, *below);

        if (slot == SLOT_NONE) {
            *below = 0;
            break;
        }
        found[count++] = slots_find(&loop->slots, slot);
        *below = slot;
    }
    manager_unlock(loop->manager);
    return count;
}

/* An event for a client that is behind: it will read it from the history. Where none is kept, the
 * event waits behind what the client is to receive first. True if a reference was used up. */
static bool defer(struct connection *connection, ws_message *message)
{
    const ws_manager *manager = connection->loop->manager;
    struct pending_values *values = connection_values(connection);
    int result;

    if (manager_keeps_events(manager) || values->skips_events ||
        connection->state != CONNECTION_LIVE)
        return false;
    result = pending_values_add_event(values, &manager->memory, message);
    if (result == WS_ERR_NO_MEMORY)
        connection_out_of_memory(connection);
    else if (result == WS_ERR_DROPPED)
        drop_for_slow(connection, message->frames.n_frames);
    return result == WS_OK;
}

/* Delivers to one connection, unless it is not a recipient. True if a reference was used up. */
static bool reach(struct connection *connection, ws_message *message)
{
    if (connection->protocol == WS_PROTOCOL_RAW || connection->state == CONNECTION_PENDING ||
        (message->n_exclude > 0 && !message->is_foreign &&
         message_excludes(message, connection->id)))
        return false;
    if (message->position > 0 && connection_is_behind(connection))
        return defer(connection, message);
    return connection_hand_over(connection, message);
}

/* Whether the turn's budget suffices for more deliveries after those to `reached` members. They
 * may have cost more: the message was compressed, or thousands of clients that are too slow are to
 * be ended. */
static bool may_go_on(const ws_loop *loop, uint32_t budget, uint32_t reached)
{
    return reached < budget && loop->preparing < budget - reached;
}

/* Delivers to at most `most` members, within the budget, and adds their number to *reached.
 * Returns the number of references used up. */
static uint32_t reach_members(ws_loop *loop, struct share *share, ws_message *message,
                              uint32_t budget, uint32_t most, uint32_t *reached)
{
    struct delivery *delivery = &loop->delivery;
    uint32_t kept = 0;

    /* A transport may end any member during the loop, which reduces `left`. */
    for (; *reached < most && delivery->left > 0 && may_go_on(loop, budget, *reached);
         ++*reached) {
        struct connection **members = share_members(share);

        if (delivery->left > PREFETCHED)
            __builtin_prefetch(&members[delivery->left - 1 - PREFETCHED]->loop);
        kept += reach(members[--delivery->left], message);
    }
    return kept;
}

static uint32_t reach_everyone(ws_loop *loop, ws_message *message, uint32_t budget,
                               uint32_t most, uint32_t *reached)
{
    struct connection *some[EVERYONE_AT_ONCE];
    uint32_t kept = 0;
    size_t found;

    do {
        size_t wanted = most - *reached < EVERYONE_AT_ONCE ? most - *reached : EVERYONE_AT_ONCE;

        found = everyone_below(loop, &loop->delivery.left, some, wanted);
        for (size_t i = 0; i < found; i++) {
            if (i + PREFETCHED < found)
                __builtin_prefetch(&some[i + PREFETCHED]->loop);
            kept += reach(some[i], message);
        }
        *reached += (uint32_t)found;
    } while (found > 0 && *reached < most && may_go_on(loop, budget, *reached));
    return kept;
}

bool delivery_run(ws_loop *loop, struct share *share, ws_message *message, uint32_t *budget)
{
    struct delivery *delivery = &loop->delivery;
    uint32_t reached = 0;
    uint32_t most;
    uint32_t kept;

    if (!delivery->running)
        *delivery = (struct delivery){
            .share = share,
            .left = share != NULL ? share->count : SLOTS_MAX,
            .running = true,
        };
    most = delivery->left < *budget ? delivery->left : *budget;
    /* One atomic addition for all recipients instead of one for each. */
    frames_ref_n(&message->frames, most);
    kept = share != NULL ? reach_members(loop, share, message, *budget, most, &reached)
                         : reach_everyone(loop, message, *budget, most, &reached);
    frames_unref_n(&message->frames, most - kept);
    *budget -= reached;
    if (delivery->left > 0)
        return false;
    *delivery = (struct delivery){.running = false};
    return true;
}
