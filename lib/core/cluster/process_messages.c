/* process_messages.c: receives the messages of the application's other processes. */
#include "core/cluster/process_messages.h"

#include <ws_manager/user_commands.h>

#include "base/json_text.h"
#include "base/utf8.h"

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
