/* default_manager_test.c: the default manager, which is created on first use, and every emit_*(),
 * while each allocation of the process fails in turn: after an error no client receives the
 * event. */
#include <string.h>

#include "faults/each_failure.h"
#include "faults/receivers.h"

static int notify(const char *json)
{
    return emit_notification(json, NULL, "info");
}

static const struct {
    int (*emit)(const char *json);
    const char *data;
} emits[] = {
    {emit_order_created, "[0]"},        {emit_order_updated, "[1]"},
    {emit_client_created, "[2]"},       {emit_client_updated, "[3]"},
    {emit_inventory_updated, "[4]"},    {emit_stock_low, "[5]"},
    {emit_user_connected, "[6]"},       {emit_user_disconnected, "[7]"},
    {emit_order_status_changed, "[8]"}, {notify, "nine"},
};

enum { N_EMITS = sizeof emits / sizeof *emits };

static struct receiver client;

static void turn(ws_loop *loop)
{
    for (int i = 0; i < 1000 && ws_loop_run(loop, 0) == 0; i++)
        ;
}

static void emit_all(ws_loop *loop)
{
    for (size_t i = 0; i < N_EMITS; i++) {
        bool accepted = emits[i].emit(emits[i].data) == WS_OK;

        turn(loop);
        if (client.id != 0 && !client.closed)
            expect(receiver_got(&client, emits[i].data) == accepted, emits[i].data);
    }
}

/* At the first use of the default manager, WS_OK means that the manager exists now, and has the
 * event. */
static void emit_first(size_t i)
{
    ws_manager *manager;
    char *text;

    if (emits[i].emit(emits[i].data) != WS_OK)
        return;
    manager = ws_manager_default();
    if (manager != NULL && ws_manager_get_stats(manager, &text, NULL) == WS_OK) {
        expect(strstr(text, "\"events\":1") != NULL, "an event is accepted and gone");
        ws_manager_free_text(manager, text);
    }
    ws_manager_set_default(NULL);
}

/* Without memory there may be no default manager, or another one at each call. */
static void live(void)
{
    ws_manager *manager;
    ws_loop *loop = NULL;

    client.id = 0;
    client.length = 0;
    for (size_t i = 0; i < N_EMITS; i++)
        emit_first(i);
    manager = ws_manager_default();
    if (manager != NULL && ws_loop_new(manager, NULL, 0, &loop) == WS_OK) {
        receiver_connect(&client, manager, loop, NULL);
        turn(loop);
        emit_all(loop);
    }
    ws_loop_free(loop);
    ws_manager_set_default(NULL);
}

static void expect_whole_life(void)
{
    for (size_t i = 0; i < N_EMITS; i++)
        expect(receiver_got(&client, emits[i].data), emits[i].data);
}

int main(void)
{
    fail_each_allocation(live, expect_whole_life);
    return 0;
}
