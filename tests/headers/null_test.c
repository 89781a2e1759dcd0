/* null_test.c: the rule for NULL (types.h) in the functions that are inline in headers: those of
 * adapters/host.h and cjson.h. Prints each line that failed. */
#include <stdio.h>

#include <ws_manager/adapters/host.h>
#include <ws_manager/cjson.h>

static int failures;

#define EXPECT(condition)                                                                      \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            printf("line %d: %s\n", __LINE__, #condition);                                     \
            failures++;                                                                        \
        }                                                                                      \
    } while (0)

static void check_host(void)
{
    ws_host_hooks hooks = {NULL, NULL, NULL, NULL, NULL};
    ws_host host;

    memset(&host, 0, sizeof host);
    EXPECT(ws_host_init(NULL, &hooks, ws_manager_default(), NULL, NULL) == WS_ERR_INVALID);
    EXPECT(ws_host_init(&host, NULL, ws_manager_default(), NULL, NULL) == WS_ERR_INVALID);
    EXPECT(ws_host_init(&host, &hooks, NULL, NULL, NULL) == WS_ERR_INVALID);
    EXPECT(ws_host_adopt(NULL, 0) == WS_ERR_INVALID);
    EXPECT(ws_host_adopt(&host, -1) == WS_ERR_INVALID);
    EXPECT(ws_host_listen_fd(NULL, 0) == WS_ERR_INVALID);
    EXPECT(ws_host_listen_fd(&host, -1) == WS_ERR_INVALID);
    EXPECT(ws_host_listen(NULL, "127.0.0.1", 0) == WS_ERR_INVALID);
    EXPECT(ws_host_listen(&host, NULL, 0) == WS_ERR_INVALID);
    EXPECT(ws_host_drain(NULL, NULL, NULL, NULL) == WS_ERR_INVALID);
    ws_host_run_soon(NULL);
    ws_host_run(NULL);
    ws_host_ready(NULL, WS_HOST_READ);
    ws_host_drop(NULL);
    ws_host_free(NULL);
}

static void check_cjson(void)
{
    cJSON *tree = cJSON_CreateObject();
    ws_manager *manager = ws_manager_default();
    ws_event *event = NULL;

    EXPECT(ws_event_new_cjson(manager, "order_created", NULL, &event) == WS_ERR_INVALID);
    EXPECT(ws_event_new_cjson(manager, "order_created", tree, NULL) == WS_ERR_INVALID);
    EXPECT(ws_event_new_cjson(manager, NULL, tree, &event) == WS_ERR_INVALID);
    EXPECT(ws_event_new_cjson(NULL, "order_created", tree, &event) == WS_ERR_INVALID);
    EXPECT(event == NULL);
    EXPECT(ws_manager_emit_cjson(manager, "order_created", NULL) == WS_ERR_INVALID);
    EXPECT(ws_manager_emit_cjson(manager, NULL, tree) == WS_ERR_INVALID);
    EXPECT(ws_manager_emit_cjson(NULL, "order_created", tree) == WS_ERR_INVALID);
    cJSON_Delete(tree);
}

int main(void)
{
    check_host();
    check_cjson();
    ws_manager_free(ws_manager_default());
    return failures == 0 ? 0 : 1;
}
