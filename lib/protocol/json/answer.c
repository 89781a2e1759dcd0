/* answer.c: writes the server's messages to one client as JSON: welcome, answers, errors. */
#include "protocol/json/answer.h"

#include <string.h>

static void begin(struct buffer *buffer, const char *type, const char *ref, size_t ref_length)
{
    buffer_add_text(buffer, "{\"type\":\"");
    buffer_add_text(buffer, type);
    buffer_add_text(buffer, "\"");
    if (ref_length > 0) {
        buffer_add_text(buffer, ",\"ref\":");
        buffer_add(buffer, ref, ref_length);
    }
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

void answer_welcome(struct buffer *buffer, const char *connection_name, const char *user_id,
                    const char *id, uint32_t ping_interval_ms)
{
    begin(buffer, "welcome", NULL, 0);
    add_member(buffer, "connection_id", connection_name);
    buffer_add_text(buffer, ",");
    add_member(buffer, "user_id", user_id);
    buffer_add_text(buffer, ",");
    add_member(buffer, "id", id);
    buffer_add_text(buffer, ",\"ping_interval_ms\":");
    buffer_add_number(buffer, ping_interval_ms);
    end(buffer);
}

void answer_room(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *room)
{
    begin(buffer, type, ref, ref_length);
    add_member(buffer, "room", room);
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
