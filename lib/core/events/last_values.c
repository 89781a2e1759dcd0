/* last_values.c: what rooms keep for those who enter them. */
#include "core/events/last_values.h"

#include <string.h>

#include <ws_manager/error.h>

void last_values_init(struct last_values *values, const ws_allocator *memory,
                      const uint8_t *secret)
{
    values->memory = memory;
    values->secret = secret;
}

/* --- rules ------------------------------------------------------------------------------------ */

static void free_rule(const ws_allocator *memory, struct kept_rule *rule)
{
    memory_free(memory, rule->room);
    memory_free(memory, rule->type);
    memory_free(memory, rule);
}

static bool copy_name(const ws_allocator *memory, char **copy, const char *name)
{
    *copy = name != NULL ? memory_copy_text(memory, name, strlen(name)) : NULL;
    return name == NULL || *copy != NULL;
}

static bool add_lines(struct last_values *values, uint32_t rule, uint64_t before)
{
    struct kept_lines *lines = memory_zalloc(values->memory, sizeof *lines);

    if (lines == NULL)
        return false;
    name_table_init(&lines->rooms, values->memory, values->secret,
                    offsetof(struct kept_line, name_length));
    lines->before = before;
    values->lines[rule] = lines;
    return true;
}

/* They have no line. */
static void free_lines(struct last_values *values, uint32_t rule)
{
    name_table_free(&values->lines[rule]->rooms);
    memory_free(values->memory, values->lines[rule]);
}

int last_values_add_rule(struct last_values *values, const struct kept_rule *rule,
                         uint64_t before)
{
    uint32_t n_rules = atomic_load(&values->n_rules);
    struct kept_rule *made;

    if (n_rules == LAST_VALUES_RULES_MAX)
        return WS_ERR_LIMIT;
    made = memory_zalloc(values->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    *made = *rule;
    made->number = (uint8_t)n_rules;
    made->type = NULL;
    if (!copy_name(values->memory, &made->room, rule->room) ||
        !copy_name(values->memory, &made->type, rule->type) ||
        !add_lines(values, n_rules, before)) {
        free_rule(values->memory, made);
        return WS_ERR_NO_MEMORY;
    }
    values->rules[n_rules] = made;
    atomic_store_explicit(&values->n_rules, n_rules + 1, memory_order_release);
    return WS_OK;
}

static bool is_for(const struct kept_rule *rule, enum last_values_use use, const char *room)
{
    return rule->use == (uint8_t)use && (rule->room == NULL || strcmp(rule->room, room) == 0);
}

struct kept_rule *last_values_match(const struct last_values *values, enum last_values_use use,
                                    const char *room, const char *type)
{
    uint32_t n_rules = atomic_load_explicit(&values->n_rules, memory_order_acquire);

    for (uint32_t i = 0; i < n_rules; i++) {
        struct kept_rule *rule = values->rules[i];

        if (is_for(rule, use, room) &&
            (rule->type == NULL || type == NULL || strcmp(rule->type, type) == 0))
            return rule;
    }
    return NULL;
}

/* --- lines ------------------------------------------------------------------------------------ */

static size_t line_size(size_t length)
{
    size_t size = offsetof(struct kept_line, name) + length + 1;

    return size > sizeof(struct kept_line) ? size : sizeof(struct kept_line);
}

static struct kept_lines *lines_of(const struct last_values *values,
                                   const struct kept_rule *rule)
{
    return values->lines[rule->number];
}

static struct kept_line *find_line(const struct last_values *values,
                                   const struct kept_rule *rule, const char *room)
{
    return name_table_find(&lines_of(values, rule)->rooms, room, strlen(room));
}

static struct kept_line *add_line(struct last_values *values, struct kept_rule *rule,
                                  const char *room)
{
    size_t length = strlen(room);
    struct kept_line *line = memory_zalloc(values->memory, line_size(length));

    if (line == NULL)
        return NULL;
    line->rule = rule;
    line->before = lines_of(values, rule)->before;
    line->name_length = (uint8_t)length;
    memcpy(line->name, room, length);
    name_table_init(&line->keys, values->memory, values->secret,
                    offsetof(struct kept_value, name_length));
    if (!name_table_add(&lines_of(values, rule)->rooms, line)) {
        memory_free(values->memory, line);
        return NULL;
    }
    values->bytes += line_size(length);
    return line;
}

static void remove_line_if_empty(struct last_values *values, struct kept_line *line)
{
    struct kept_lines *lines = lines_of(values, line->rule);

    if (line->count > 0)
        return;
    values->bytes -= line_size(line->name_length);
    if (line->before > lines->before)
        lines->before = line->before;
    name_table_remove(&lines->rooms, line);
    name_table_free(&line->keys);
    memory_free(values->memory, line);
}

/* --- values ----------------------------------------------------------------------------------- */

static size_t value_size(size_t length)
{
    size_t size = offsetof(struct kept_value, key) + length + 1;

    return size > sizeof(struct kept_value) ? size : sizeof(struct kept_value);
}

/* The message's block, whose size does not change when its id is written. */
static size_t bytes_of(const ws_message *message)
{
    return (size_t)message->frames.start + message->frames.length;
}

size_t kept_value_cost(const char *key, const ws_message *message)
{
    return value_size(key != NULL ? strlen(key) : 0) + bytes_of(message);
}

static size_t cost_of(const struct kept_value *value)
{
    return value_size(value->name_length) + bytes_of(value->message);
}

/* Other threads make forms of a message, without the lock, when they deliver it to clients. */
static void count_forms(struct last_values *values, struct kept_value *value)
{
    size_t cost = cost_of(value) + frames_variant_bytes(&value->message->frames);

    values->bytes += (uint64_t)cost - value->counted;
    value->counted = cost;
}

/* Values that are not read again are counted, too, as others are kept: two for each of these, or
 * the newest ones alone would ever be counted. */
enum { COUNTED_AT_ONCE = 2 };

static void count_some(struct last_values *values)
{
    for (int i = 0; i < COUNTED_AT_ONCE; i++) {
        struct kept_value *next = values->hand != NULL ? values->hand : values->first;

        if (next == NULL)
            return;
        count_forms(values, next);
        values->hand = next->newer_of_all;
    }
}

struct kept_value *kept_value_new(const ws_allocator *memory, const char *key,
                                  ws_message *message)
{
    size_t length = key != NULL ? strlen(key) : 0;
    struct kept_value *value = memory_zalloc(memory, value_size(length));

    if (value == NULL)
        return NULL;
    value->message = message;
    value->name_length = (uint8_t)length;
    if (length > 0)
        memcpy(value->key, key, length);
    return value;
}

static void free_value(const ws_allocator *memory, struct kept_value *value)
{
    if (value == NULL)
        return;
    ws_message_unref(value->message);
    memory_free(memory, value);
}

static struct kept_value *find_value(const struct kept_line *line, const char *key)
{
    return name_table_find(&line->keys, key, strlen(key));
}

static void link_last(struct last_values *values, struct kept_line *line,
                      struct kept_value *value)
{
    value->line = line;
    value->newer = NULL;
    value->older = line->last;
    *(line->last != NULL ? &line->last->newer : &line->first) = value;
    line->last = value;
    value->newer_of_all = NULL;
    value->older_of_all = values->last;
    *(values->last != NULL ? &values->last->newer_of_all : &values->first) = value;
    values->last = value;
    line->count++;
    line->bytes += cost_of(value);
    values->count++;
    value->counted = 0;
    count_forms(values, value);
}

/* The readers that would read the value next read the one before it. */
static void pass_over(struct last_values *values, const struct kept_value *value)
{
    uint32_t n_rules = atomic_load(&values->n_rules);

    for (struct last_values_reader *reader = values->readers; reader != NULL;
         reader = reader->next)
        for (uint32_t i = 0; i < n_rules; i++)
            if (reader->next_values[i] == value)
                reader->next_values[i] = value->older;
}

static void unlink_value(struct last_values *values, struct kept_value *value)
{
    struct kept_line *line = value->line;

    pass_over(values, value);

    *(value->older != NULL ? &value->older->newer : &line->first) = value->newer;
    *(value->newer != NULL ? &value->newer->older : &line->last) = value->older;
    *(value->older_of_all != NULL ? &value->older_of_all->newer_of_all : &values->first) =
        value->newer_of_all;
    *(value->newer_of_all != NULL ? &value->newer_of_all->older_of_all : &values->last) =
        value->older_of_all;
    line->count--;
    line->bytes -= cost_of(value);
    values->count--;
    values->bytes -= value->counted;
    if (values->hand == value)
        values->hand = value->newer_of_all;
}

static void drop(struct last_values *values, struct kept_value *value)
{
    value->line->before = value->message->position;
    unlink_value(values, value);
    if (value->line->rule->by_key)
        name_table_remove(&value->line->keys, value);
    free_value(values->memory, value);
}

static bool is_over(const struct kept_line *line)
{
    const struct kept_rule *rule = line->rule;

    return line->count > rule->max_values ||
           (rule->max_bytes > 0 && line->bytes > rule->max_bytes);
}

static void drop_beyond_limits(struct last_values *values, struct kept_line *line)
{
    while (line->count > 0 && is_over(line)) {
        values->n_dropped += line->rule->use == KEPT_STATE;
        drop(values, line->first);
    }
    remove_line_if_empty(values, line);
}

/* The oldest first, of any room. */
static void drop_beyond_total(struct last_values *values)
{
    while (values->max_bytes > 0 && values->bytes > values->max_bytes &&
           values->first != NULL) {
        struct kept_line *oldest = values->first->line;

        values->n_dropped++;
        drop(values, values->first);
        remove_line_if_empty(values, oldest);
    }
}

void last_values_reset(struct last_values *values, uint64_t before)
{
    while (values->first != NULL) {
        struct kept_line *line = values->first->line;

        drop(values, values->first);
        remove_line_if_empty(values, line);
    }
    for (uint32_t i = 0; i < atomic_load(&values->n_rules); i++)
        values->lines[i]->before = before;
}

void last_values_free(struct last_values *values)
{
    uint32_t n_rules = atomic_load(&values->n_rules);

    last_values_end_copy(values);
    for (uint32_t i = 0; i < n_rules; i++)
        free_rule(values->memory, values->rules[i]);
}

/* --- in place of others ----------------------------------------------------------------------- */

bool last_values_begin_copy(const struct last_values *values, struct last_values *copy,
                            uint64_t before)
{
    uint32_t n_rules = atomic_load_explicit(&values->n_rules, memory_order_acquire);

    *copy = (struct last_values){
        .memory = values->memory, .secret = values->secret, .max_bytes = values->max_bytes};
    for (uint32_t i = 0; i < n_rules; i++) {
        copy->rules[i] = values->rules[i];
        if (!add_lines(copy, i, before)) {
            last_values_end_copy(copy);
            return false;
        }
        atomic_store(&copy->n_rules, i + 1);
    }
    return true;
}

static void exchange_lines(struct last_values *values, struct last_values *copy, uint32_t rule)
{
    struct kept_lines *lines = values->lines[rule];

    values->lines[rule] = copy->lines[rule];
    copy->lines[rule] = lines;
}

static void exchange_lists(struct last_values *values, struct last_values *copy)
{
    struct last_values before = {.bytes = values->bytes,
                                 .count = values->count,
                                 .first = values->first,
                                 .last = values->last,
                                 .hand = values->hand};

    values->bytes = copy->bytes;
    values->count = copy->count;
    values->first = copy->first;
    values->last = copy->last;
    values->hand = copy->hand;
    copy->bytes = before.bytes;
    copy->count = before.count;
    copy->first = before.first;
    copy->last = before.last;
    copy->hand = before.hand;
}

static const struct kept_line *line_of(const struct last_values *values, uint32_t rule,
                                       enum last_values_use use, const char *room)
{
    return is_for(values->rules[rule], use, room) ? find_line(values, values->rules[rule], room)
                                                  : NULL;
}

/* From the newest value of each line on: it is ordered. */
static void seek(const struct last_values *values, struct last_values_reader *reader)
{
    uint32_t n_rules = atomic_load(&values->n_rules);

    for (uint32_t i = 0; i < LAST_VALUES_RULES_MAX; i++) {
        const struct kept_line *line =
            i < n_rules ? line_of(values, i, reader->use, reader->room) : NULL;

        reader->next_values[i] = line != NULL ? line->last : NULL;
    }
}

void last_values_exchange(struct last_values *values, struct last_values *copy, uint64_t until)
{
    uint32_t n_copied = atomic_load(&copy->n_rules);
    uint32_t n_rules = atomic_load(&values->n_rules);

    for (uint32_t i = 0; i < n_copied; i++)
        exchange_lines(values, copy, i);
    for (uint32_t i = n_copied; i < n_rules; i++)
        values->lines[i]->before = until;
    exchange_lists(values, copy);
    values->n_dropped += copy->n_dropped;
    for (struct last_values_reader *reader = values->readers; reader != NULL;
         reader = reader->next)
        seek(values, reader);
}

void last_values_end_copy(struct last_values *copy)
{
    last_values_reset(copy, 0);
    for (uint32_t i = 0; i < atomic_load(&copy->n_rules); i++)
        free_lines(copy, i);
    atomic_store(&copy->n_rules, 0);
}

/* --- keeping an event ------------------------------------------------------------------------- */

static bool reserve(struct last_values *values, const char *room, struct kept_change *change)
{
    struct kept_value *value = change->value;

    change->line = find_line(values, change->rule, room);
    if (value == NULL) /* the value is removed, if there is one */
        return true;
    if (change->line == NULL)
        change->line = add_line(values, change->rule, room);
    if (change->line == NULL)
        return false;
    if (!change->rule->by_key || find_value(change->line, value->key) != NULL)
        return true;
    if (name_table_add(&change->line->keys, value))
        return true;
    remove_line_if_empty(values, change->line);
    change->line = NULL;
    return false;
}

static void cancel(struct last_values *values, struct kept_change *change)
{
    if (change->line == NULL || change->value == NULL)
        return;
    if (change->line->rule->by_key &&
        find_value(change->line, change->value->key) == change->value)
        name_table_remove(&change->line->keys, change->value);
    remove_line_if_empty(values, change->line);
    change->line = NULL;
}

void last_values_cancel(struct last_values *values, struct kept_plan *plan)
{
    for (size_t use = 0; use < N_KEPT_USES; use++)
        cancel(values, &plan->changes[use]);
}

bool last_values_reserve(struct last_values *values, const char *room, struct kept_plan *plan)
{
    for (size_t use = 0; use < N_KEPT_USES; use++) {
        if (plan->changes[use].rule != NULL && !reserve(values, room, &plan->changes[use])) {
            last_values_cancel(values, plan);
            return false;
        }
    }
    return true;
}

/* Puts a value in the place of the one with its key. The one that stays is in the table already:
 * only their messages are exchanged. */
static void replace(struct last_values *values, struct kept_value *former,
                    struct kept_value *value)
{
    struct kept_line *line = former->line;
    ws_message *message = former->message;

    unlink_value(values, former);
    former->message = value->message;
    value->message = message;
    link_last(values, line, former);
}

static void put(struct last_values *values, struct kept_change *change)
{
    struct kept_line *line = change->line;
    struct kept_value *former =
        line->rule->by_key ? find_value(line, change->value->key) : NULL;

    if (former != NULL && former != change->value) {
        replace(values, former, change->value);
    } else {
        link_last(values, line, change->value);
        change->value = NULL;
    }
    drop_beyond_limits(values, line);
}

static void remove_values(struct last_values *values, const struct kept_change *change)
{
    struct kept_line *line = change->line;
    struct kept_value *value;

    if (change->rule->by_key) {
        value = find_value(line, change->key);
        if (value != NULL)
            drop(values, value);
    } else {
        while (line->count > 0)
            drop(values, line->first);
    }
    remove_line_if_empty(values, line);
}

void last_values_commit(struct last_values *values, struct kept_plan *plan)
{
    for (size_t use = 0; use < N_KEPT_USES; use++) {
        struct kept_change *change = &plan->changes[use];

        if (change->rule == NULL || change->line == NULL)
            continue;
        if (change->value != NULL)
            put(values, change);
        else
            remove_values(values, change);
        change->line = NULL;
    }
    count_some(values);
    drop_beyond_total(values);
}

static void leave_out(struct last_values *values, const char *room,
                      const struct kept_change *change, uint64_t position)
{
    struct kept_line *line = find_line(values, change->rule, room);
    struct kept_value *former = NULL;

    if (line == NULL) {
        lines_of(values, change->rule)->before = position;
        return;
    }
    if (change->rule->by_key)
        former = find_value(line, change->value->key);
    if (former != NULL)
        drop(values, former);
    while (change->rule->use == KEPT_HISTORY && line->count > 0)
        drop(values, line->first);
    line->before = position;
    remove_line_if_empty(values, line);
}

void last_values_leave_out(struct last_values *values, const char *room,
                           const struct kept_plan *plan, uint64_t position)
{
    for (size_t use = 0; use < N_KEPT_USES; use++)
        if (plan->changes[use].rule != NULL && plan->changes[use].value != NULL)
            leave_out(values, room, &plan->changes[use], position);
}

void kept_plan_free(const ws_allocator *memory, struct kept_plan *plan)
{
    for (size_t use = 0; use < N_KEPT_USES; use++) {
        free_value(memory, plan->changes[use].value);
        memory_free(memory, plan->changes[use].key);
    }
    *plan = (struct kept_plan){0};
}

/* --- reading ---------------------------------------------------------------------------------- */

size_t last_values_count(const struct last_values *values, enum last_values_use use,
                         const char *room)
{
    size_t count = 0;

    for (uint32_t i = 0; i < atomic_load(&values->n_rules); i++) {
        const struct kept_line *line = line_of(values, i, use, room);

        count += line != NULL ? line->count : 0;
    }
    return count;
}

void last_values_begin_reading(struct last_values *values, struct last_values_reader *reader)
{
    reader->count = 0;
    reader->next = values->readers;
    values->readers = reader;
    seek(values, reader);
}

void last_values_end_reading(struct last_values *values,
                             const struct last_values_reader *reader)
{
    struct last_values_reader **link = &values->readers;

    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
}

/* Takes the newest value of all lines; NULL: none is left. */
static struct kept_value *take_newest(struct last_values_reader *reader, uint32_t n_rules)
{
    struct kept_value **newest = NULL;
    struct kept_value *value;

    for (uint32_t i = 0; i < n_rules; i++) {
        value = reader->next_values[i];
        if (value != NULL &&
            (newest == NULL || value->message->position > (*newest)->message->position))
            newest = &reader->next_values[i];
    }
    if (newest == NULL)
        return NULL;
    value = *newest;
    *newest = value->older;
    return value;
}

bool last_values_read(struct last_values *values, struct last_values_reader *reader)
{
    uint32_t n_rules = atomic_load(&values->n_rules);
    bool has_more = true;

    for (size_t looked_at = 0; has_more && looked_at < LAST_VALUES_AT_ONCE; looked_at++) {
        struct kept_value *value =
            reader->count < reader->max ? take_newest(reader, n_rules) : NULL;

        has_more = value != NULL && value->message->position > reader->after;
        if (!has_more || value->message->position > reader->until)
            continue;
        reader->until = value->message->position - 1;
        reader->messages[reader->count++] = ws_message_ref(value->message);
        count_forms(values, value);
    }
    drop_beyond_total(values);
    return has_more;
}

bool last_values_reach(const struct last_values *values, const char *room, uint64_t after)
{
    const struct kept_rule *rule = last_values_match(values, KEPT_HISTORY, room, NULL);
    const struct kept_line *line = rule != NULL ? find_line(values, rule, room) : NULL;

    return rule != NULL &&
           after >= (line != NULL ? line->before : lines_of(values, rule)->before);
}
