/* keep.c: decides what an event changes among the values that rooms keep, and marks their text. */
#include "core/sending/keep.h"

#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/sending/encode.h"

static const char *const marks[N_KEPT_USES] = {
    [KEPT_STATE] = "{\"state\":true,",
    [KEPT_HISTORY] = "{\"replayed\":true,",
};

/* What an event's text says about itself. */
struct content {
    char *type; /* owned; NULL: it is not a string */
    char *key;  /* owned; NULL: it has no valid one */
    bool is_null;
};

/* The text of an encoded event lacks its first character, for which there is room. */
static const char *whole_text(ws_message *message, size_t *length)
{
    uint8_t *begin = message_payload(message) - 1;

    *begin = '{';
    *length = (size_t)message->payload_bytes + 1;
    return (const char *)begin;
}

static bool read_content(const ws_allocator *memory, ws_message *message,
                         struct content *content)
{
    static const char *const names[] = {"type", "key", "data"};
    struct json_slice values[3] = {{NULL, 0}};
    size_t length;
    const char *text = whole_text(message, &length);

    *content = (struct content){0};
    json_members(text, length, names, values, 3);
    content->is_null = values[2].text != NULL && *values[2].text == 'n';
    if (values[0].text != NULL && !json_string(memory, values[0], &content->type))
        return false;
    if (values[1].text != NULL && !json_string(memory, values[1], &content->key))
        return false;
    if (content->key != NULL && !name_text_valid(content->key)) {
        memory_free(memory, content->key);
        content->key = NULL;
    }
    return true;
}

static ws_message *make_marked(const ws_allocator *memory, const ws_message *message,
                               enum last_values_use use)
{
    size_t length;
    const void *text = ws_message_payload(message, &length);

    return encode_marked(memory, marks[use], text, length, message);
}

/* Makes the value to be kept, unless the event removes one. */
static bool make_value(const ws_allocator *memory, const ws_message *message,
                       const struct content *content, enum last_values_use use,
                       struct kept_change *change)
{
    ws_message *marked;

    if (use == KEPT_STATE && content->is_null) {
        if (content->key != NULL)
            change->key = memory_copy_text(memory, content->key, strlen(content->key));
        return content->key == NULL || change->key != NULL;
    }
    marked = make_marked(memory, message, use);
    if (marked == NULL)
        return false;
    change->value = kept_value_new(memory, content->key, marked);
    if (change->value == NULL)
        ws_message_unref(marked);
    return change->value != NULL;
}

/* The rule by which an event is kept; NULL: it is not. */
static struct kept_rule *rule_of(const ws_manager *manager, enum last_values_use use,
                                 const char *room, const struct content *content)
{
    struct kept_rule *rule = content->type != NULL ? last_values_match(&manager->last_values,
                                                                       use, room, content->type)
                                                   : NULL;

    return rule != NULL && rule->by_key && content->key == NULL ? NULL : rule;
}

static bool prepare(const ws_manager *manager, const char *room, const ws_message *message,
                    const struct content *content, size_t n_uses, struct kept_plan *plan)
{
    for (enum last_values_use use = KEPT_STATE; use < n_uses; use++) {
        struct kept_change *change = &plan->changes[use];
        struct kept_rule *rule = rule_of(manager, use, room, content);

        if (rule == NULL)
            continue;
        if (!make_value(&manager->memory, message, content, use, change))
            return false;
        change->rule = rule;
    }
    return true;
}

/* Whether a room may keep anything for the first n_uses uses. */
static bool may_keep(const ws_manager *manager, enum group_kind kind, const char *name,
                     size_t n_uses)
{
    bool any = false;

    for (enum last_values_use use = KEPT_STATE; kind == GROUP_ROOM && use < n_uses; use++)
        any |= last_values_match(&manager->last_values, use, name, NULL) != NULL;
    return any;
}

static void free_content(const ws_allocator *memory, struct content *content)
{
    memory_free(memory, content->type);
    memory_free(memory, content->key);
}

static bool prepare_uses(const ws_manager *manager, enum group_kind kind, const char *name,
                         ws_message *message, size_t n_uses, struct kept_plan *plan)
{
    const ws_allocator *memory = &manager->memory;
    struct content content;
    bool prepared;

    *plan = (struct kept_plan){0};
    if (!may_keep(manager, kind, name, n_uses))
        return true;
    prepared = read_content(memory, message, &content) &&
               prepare(manager, name, message, &content, n_uses, plan);
    free_content(memory, &content);
    if (!prepared)
        kept_plan_free(memory, plan);
    return prepared;
}

bool keep_prepare(const ws_manager *manager, enum group_kind kind, const char *name,
                  ws_message *message, struct kept_plan *plan)
{
    return prepare_uses(manager, kind, name, message, N_KEPT_USES, plan);
}

bool keep_prepare_state(const ws_manager *manager, const char *room, ws_message *message,
                        struct kept_plan *plan)
{
    return prepare_uses(manager, GROUP_ROOM, room, message, KEPT_STATE + 1, plan);
}

static void describe(const ws_manager *manager, const struct kept_rule *rule,
                     const struct content *content, const ws_message *message,
                     ws_cluster_keep *keep)
{
    const char *key = rule->by_key ? content->key : NULL;

    *keep = (ws_cluster_keep){.size = sizeof *keep, .type = rule->type, .key = key};
    if (content->is_null) {
        keep->removes = 1;
        return;
    }
    keep->max_values = rule->max_values;
    keep->max_bytes = rule->max_bytes;
    keep->max_total_bytes = manager->last_values.max_bytes;
    keep->bytes =
        kept_value_cost(content->key, message) + strlen(marks[KEPT_STATE]) - 1; /* its '{' */
}

bool keep_describe(const ws_manager *manager, enum group_kind kind, const char *name,
                   ws_message *message, struct kept_note *note)
{
    const ws_allocator *memory = &manager->memory;
    const struct kept_rule *rule = NULL;
    struct content content;
    bool was_read;

    *note = (struct kept_note){.is_kept = false};
    if (!may_keep(manager, kind, name, KEPT_STATE + 1))
        return true;
    was_read = read_content(memory, message, &content);
    if (was_read)
        rule = rule_of(manager, KEPT_STATE, name, &content);
    if (rule != NULL) {
        note->is_kept = true;
        describe(manager, rule, &content, message, &note->keep);
        note->key = content.key;
        content.key = NULL;
    }
    free_content(memory, &content);
    return was_read;
}

void kept_note_free(const ws_allocator *memory, struct kept_note *note)
{
    memory_free(memory, note->key);
}

void keep_commit(const ws_manager *manager, struct last_values *values, struct kept_plan *plan,
                 const char *epoch, uint64_t position)
{
    for (size_t use = 0; use < N_KEPT_USES; use++) {
        struct kept_value *value = plan->changes[use].value;

        if (value == NULL)
            continue;
        encode_finish(manager, value->message, epoch, position);
        /* Clients must not take it for their place in the order. */
        value->message->has_id = false;
    }
    last_values_commit(values, plan);
}
