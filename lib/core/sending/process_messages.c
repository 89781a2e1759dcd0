/* process_messages.c: messages between the application's processes. */
#include "core/sending/process_messages.h"

#include <string.h>

#include <ws_manager/orders.h>

#include "base/json_text.h"
#include "base/utf8.h"
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
    if (manager == NULL || !name_text_valid(type) || json == NULL)
        return WS_ERR_INVALID;
    if (length > WS_PROCESS_MESSAGE_MAX)
        return WS_ERR_TOO_BIG;
    if (!json_valid(json, length, JSON_MAX_DEPTH))
        return WS_ERR_BAD_JSON;
    if (manager->has_cluster)
        return publish_message(manager, type, json, length);
    counter_add_shared(&manager->counters, COUNTER_orders_sent, 1);
    return WS_OK;
}

enum member { MEMBER_PROCESS, MEMBER_TYPE, MEMBER_DATA, N_MEMBERS };

static const char *const member_names[N_MEMBERS] = {"process", "type", "data"};

/* The message's texts, NUL-terminated. */
struct texts {
    char *process;
    char *type;
    char *data;
};

static void free_texts(const ws_manager *manager, struct texts *texts)
{
    memory_free(&manager->memory, texts->process);
    memory_free(&manager->memory, texts->type);
    memory_free(&manager->memory, texts->data);
}

/* False if memory ran out. */
static bool copy_texts(const ws_manager *manager, const struct json_slice values[N_MEMBERS],
                       struct texts *texts)
{
    if (!json_string(&manager->memory, values[MEMBER_PROCESS], &texts->process) ||
        !json_string(&manager->memory, values[MEMBER_TYPE], &texts->type))
        return false;
    texts->data = memory_copy_text(&manager->memory, values[MEMBER_DATA].text,
                                   values[MEMBER_DATA].length);
    return texts->data != NULL;
}

static void hand_over(ws_manager *manager, const struct texts *texts, size_t length)
{
    const ws_process_message message = {.size = sizeof message,
                                        .process = texts->process,
                                        .type = texts->type,
                                        .data = texts->data,
                                        .length = length};

    manager_assert_unlocked(manager);
    counter_add_shared(&manager->counters, COUNTER_process_messages, 1);
    if (manager->options.on_process_message != NULL)
        manager->options.on_process_message(manager, &message, manager->options.user_data);
}

int process_message_carry_out(ws_manager *manager, const ws_cluster_event *event)
{
    struct json_slice values[N_MEMBERS];
    struct texts texts = {0};
    int result = WS_ERR_NO_MEMORY;

    if (!json_members(event->text, event->length, member_names, values, N_MEMBERS))
        return WS_ERR_INVALID;
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (values[i].text == NULL)
            return WS_ERR_INVALID;
    if (values[MEMBER_DATA].length > WS_PROCESS_MESSAGE_MAX)
        return WS_ERR_INVALID;
    if (json_string_is(values[MEMBER_PROCESS], ws_manager_process_id(manager)))
        return WS_OK;
    if (copy_texts(manager, values, &texts)) {
        result = WS_ERR_INVALID;
        if (name_text_valid(texts.process) && name_text_valid(texts.type)) {
            hand_over(manager, &texts, values[MEMBER_DATA].length);
            result = WS_OK;
        }
    }
    free_texts(manager, &texts);
    return result;
}
