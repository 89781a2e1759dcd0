/* answer.c: writes the server's messages to one client as JSON: welcome, answers, errors. */
#include "protocol/json/answer.h"

#include <string.h>

/* Write the answer up to its ref, or its data. */
static void begin_type(struct buffer *buffer, const char *type, const char *ref,
                       size_t ref_length)
{
    buffer_add_text(buffer, "{\"type\":\"");
    buffer_add_text(buffer, type);
    buffer_add_text(buffer, "\"");
    if (ref_length > 0) {
        buffer_add_text(buffer, ",\"ref\":");
        buffer_add(buffer, ref, ref_length);
    }
}

static void begin(struct buffer *buffer, const char *type, const char *ref, size_t ref_length)
{
    begin_type(buffer, type, ref, ref_length);
    buffer_add_text(buffer, ",\"data\":{");
}

static void add_member(struct buffer *buffer, const char *name, const char *text)
{
    buffer_add_text(buffer, "\"");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, "\":");
    buffer_add_json_string_or_null(buffer, text);
}

static void end(struct buffer *buffer)
{
    buffer_add_text(buffer, "}}");
}

void answer_welcome(struct buffer *buffer, const char *connection_name, const char *secret,
                    const char *user_id, const char *id, uint32_t ping_interval_ms)
{
    begin(buffer, "welcome", NULL, 0);
    add_member(buffer, "connection_id", connection_name);
    buffer_add_text(buffer, ",");
    add_member(buffer, "user_id", user_id);
    buffer_add_text(buffer, ",");
    add_member(buffer, "id", id);
    buffer_add_text(buffer, ",\"ping_interval_ms\":");
    buffer_add_number(buffer, ping_interval_ms);
    if (secret != NULL) {
        buffer_add_text(buffer, ",\"session_id\":\"");
        buffer_add_text(buffer, connection_name);
        buffer_add_text(buffer, ".");
        buffer_add_text(buffer, secret);
        buffer_add_text(buffer, "\"");
    }
    end(buffer);
}

static void add_entry(struct buffer *buffer, const struct answer_entry *entry)
{
    if (entry->has_state) {
        buffer_add_text(buffer, ",\"state\":");
        buffer_add_number(buffer, entry->n_state);
    }
    if (entry->has_replayed) {
        buffer_add_text(buffer, ",\"replayed\":");
        buffer_add_number(buffer, entry->n_replayed);
    }
    if (entry->has_complete)
        buffer_add_text(buffer, entry->complete ? ",\"complete\":true" : ",\"complete\":false");
}

void answer_room(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *room, const struct answer_entry *entry)
{
    begin(buffer, type, ref, ref_length);
    add_member(buffer, "room", room);
    if (entry != NULL)
        add_entry(buffer, entry);
    buffer_add_text(buffer, ",\"id\":\"");
}

void answer_id(struct buffer *buffer, const char *type, const char *ref, size_t ref_length)
{
    begin(buffer, type, ref, ref_length);
    buffer_add_text(buffer, "\"id\":\"");
}

void answer_recovered(struct buffer *buffer, bool is_complete, uint64_t count, const char *id)
{
    begin(buffer, "recovered", NULL, 0);
    buffer_add_text(buffer, is_complete ? "\"complete\":true" : "\"complete\":false");
    buffer_add_text(buffer, ",\"count\":");
    buffer_add_number(buffer, count);
    buffer_add_text(buffer, ",");
    add_member(buffer, "id", id);
    end(buffer);
}

void answer_error(struct buffer *buffer, const char *ref, size_t ref_length,
                  struct answer_problem problem)
{
    static const char *const codes[] = {
#define X(name, text) [ANSWER_##name] = text,
        ANSWER_CODE_TABLE(X)
#undef X
    };

    begin(buffer, "error", ref, ref_length);
    add_member(buffer, "code", codes[problem.code]);
    buffer_add_text(buffer, ",");
    add_member(buffer, "message", problem.text);
    end(buffer);
}

void answer_data(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *data, size_t data_length)
{
    begin_type(buffer, type, ref, ref_length);
    if (data != NULL) {
        buffer_add_text(buffer, ",\"data\":");
        buffer_add(buffer, data, data_length);
    }
    buffer_add_text(buffer, "}");
}

void answer_presence_begin(struct buffer *buffer, const char *ref, size_t ref_length,
                           const char *room)
{
    begin_type(buffer, "presence", ref, ref_length);
    if (room != NULL) {
        buffer_add_text(buffer, ",");
        add_member(buffer, "room", room);
    }
    buffer_add_text(buffer, ",\"data\":");
}

void answer_error_data(struct buffer *buffer, const char *code, const char *text)
{
    buffer_add_text(buffer, "{");
    add_member(buffer, "code", code);
    buffer_add_text(buffer, ",");
    add_member(buffer, "message", text);
    buffer_add_text(buffer, "}");
}
