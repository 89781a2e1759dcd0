/* keep_rules.c: declares what rooms keep. Not here: keeping it (keep.c). */
#include <ws_manager/last_values.h>

#include "base/options.h"
#include "base/utf8.h"
#include "core/manager.h"

void ws_last_values_options_init_size(ws_last_values_options *options, size_t size)
{
    const ws_last_values_options defaults = {
        .size = sizeof defaults,
        .by_key = 1,
        .max_values = 1000,
        .max_bytes = 1 << 20,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

void ws_room_history_options_init_size(ws_room_history_options *options, size_t size)
{
    const ws_room_history_options defaults = {
        .size = sizeof defaults,
        .max_events = 100,
        .max_bytes = 1 << 20,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

static bool rule_valid(const struct kept_rule *rule)
{
    return (rule->room == NULL || name_text_valid(rule->room)) &&
           (rule->type == NULL || name_text_valid(rule->type)) && rule->max_values >= 1 &&
           rule->max_values <= LAST_VALUES_MAX;
}

static int add_rule(ws_manager *manager, struct kept_rule rule)
{
    int result;

    if (!rule_valid(&rule))
        return WS_ERR_INVALID;
    manager_lock(manager);
    result = last_values_add_rule(&manager->last_values, &rule, manager->position);
    manager_unlock(manager);
    return result;
}

int ws_manager_keep_last_values(ws_manager *manager, const ws_last_values_options *options)
{
    ws_last_values_options copy;

    ws_last_values_options_init(&copy);
    if (manager == NULL || options == NULL || !options_copy(&copy, sizeof copy, options) ||
        copy.by_key < 0 || copy.by_key > 1)
        return WS_ERR_INVALID;
    return add_rule(manager, (struct kept_rule){
                                 .use = KEPT_STATE,
                                 .by_key = copy.by_key == 1,
                                 .max_values = copy.max_values,
                                 .max_bytes = copy.max_bytes,
                                 .room = (char *)(uintptr_t)copy.room,
                                 .type = (char *)(uintptr_t)copy.type,
                             });
}

int ws_manager_keep_room_history(ws_manager *manager, const ws_room_history_options *options)
{
    ws_room_history_options copy;

    ws_room_history_options_init(&copy);
    if (manager == NULL || options == NULL || !options_copy(&copy, sizeof copy, options))
        return WS_ERR_INVALID;
    return add_rule(manager, (struct kept_rule){
                                 .use = KEPT_HISTORY,
                                 .max_values = copy.max_events,
                                 .max_bytes = copy.max_bytes,
                                 .room = (char *)(uintptr_t)copy.room,
                             });
}
