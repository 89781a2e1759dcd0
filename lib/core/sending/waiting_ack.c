/* waiting_ack.c: an acknowledgement or a response of a client that the application waits for. */
#include "core/sending/waiting_ack.h"

#include "base/json_text.h"

struct waiting_ack *waiting_ack_new(ws_manager *manager, ws_conn_id connection,
                                    uint32_t timeout_ms)
{
    struct waiting_ack *ack = memory_zalloc(&manager->memory, sizeof *ack);

    if (ack == NULL)
        return NULL;
    ack->timer.kind = TIMER_ACK;
    ack->id =
        (int64_t)(atomic_fetch_add_explicit(&manager->n_acks, 1, memory_order_relaxed) + 1);
    ack->connection = connection;
    ack->timeout_ms = timeout_ms;
    return ack;
}

void waiting_response_settle(ws_manager *manager, struct waiting_ack *ack, ws_response response)
{
    ws_response_callback *on_response = ack->on_response;
    ws_conn_id connection = ack->connection;
    void *user_data = ack->user_data;

    manager_assert_unlocked(manager);
    memory_free(&manager->memory, ack);
    response.size = sizeof response;
    on_response(manager, connection, &response, user_data);
}

static struct json_slice first_argument(const ws_socketio_ack_result *result)
{
    struct json_walk walk;
    struct json_slice value;

    if (json_elements_begin(&walk, result->args, result->args_length) &&
        json_elements_next(&walk, &value))
        return value;
    return (struct json_slice){"null", 4};
}

/* The response is the first argument of the acknowledgement. */
static void settle_response(ws_manager *manager, struct waiting_ack *ack,
                            const ws_socketio_ack_result *result)
{
    ws_response response = {.result = result->result};
    char *data = NULL;

    if (result->result == WS_OK) {
        struct json_slice value = first_argument(result);

        data = memory_copy_text(&manager->memory, value.text, value.length);
        response.result = data != NULL ? WS_OK : WS_ERR_NO_MEMORY;
        response.data = data;
        response.length = data != NULL ? value.length : 0;
    }
    waiting_response_settle(manager, ack, response);
    memory_free(&manager->memory, data);
}

void waiting_ack_settle(ws_manager *manager, struct waiting_ack *ack,
                        ws_socketio_ack_result result)
{
    ws_socketio_ack_callback *on_ack = ack->on_ack;
    ws_conn_id connection = ack->connection;
    void *user_data = ack->user_data;

    manager_assert_unlocked(manager);
    if (ack->on_response != NULL) {
        settle_response(manager, ack, &result);
        return;
    }
    memory_free(&manager->memory, ack);
    result.size = sizeof result;
    on_ack(manager, connection, &result, user_data);
}
