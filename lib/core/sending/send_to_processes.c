/* send_to_processes.c: sends messages to the application's other processes. Not here: receiving
 * them (cluster/process_messages.h). */
#include <string.h>

#include <ws_manager/user_commands.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/checks.h"
#include "core/sending/publish.h"

static int publish_message(ws_manager *manager, const char *type, const char *json,
                           size_t length)
{
    struct buffer buffer;
    int result = WS_ERR_NO_MEMORY;

    buffer_init(&buffer, &manager->memory);
    buffer_add_text(&buffer, "{\"order\":\"" PROCESS_MESSAGE_COMMAND "\",\"process\":\"");
    buffer_add_text(&buffer, ws_manager_process_id(manager));
    buffer_add_text(&buffer, "\",\"type\":");
    buffer_add_json_string(&buffer, type, strlen(type));
    buffer_add_text(&buffer, ",\"data\":");
    buffer_add(&buffer, json, length);
    buffer_add_text(&buffer, "}");
    if (!buffer.failed)
        result = publish_process_command(manager, buffer.data, buffer.length);
    buffer_free(&buffer);
    return result;
}

int ws_manager_send_to_processes(ws_manager *manager, const char *type, const char *json,
                                 size_t length)
{
    int result;

    if (manager == NULL || !name_text_valid(type) || json == NULL)
        return WS_ERR_INVALID;
    result = checks_call(manager, "a message was sent");
    if (result != WS_OK)
        return result;
    if (length > WS_PROCESS_MESSAGE_MAX)
        return WS_ERR_TOO_BIG;
    if (!json_valid(json, length, JSON_MAX_DEPTH))
        return WS_ERR_BAD_JSON;
    if (manager->has_cluster)
        return publish_message(manager, type, json, length);
    counter_add_shared(&manager->counters, COUNTER_orders_sent, 1);
    return WS_OK;
}
