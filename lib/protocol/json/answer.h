/* answer.h: writes the server's messages to one client as JSON: welcome, answers, errors.
 * Not here: events, which many clients receive (core/events/message.h). */
#ifndef WS_PROTOCOL_JSON_ANSWER_H
#define WS_PROTOCOL_JSON_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* The codes of {"type":"error"}. */
#define ANSWER_CODE_TABLE(X)                                                                   \
    X(BAD_JSON, "bad_json")                                                                    \
    X(BAD_REQUEST, "bad_request")                                                              \
    X(UNKNOWN_TYPE, "unknown_type")                                                            \
    X(FORBIDDEN, "forbidden")                                                                  \
    X(NOT_MEMBER, "not_member")                                                                \
    X(TOO_MANY_ROOMS, "too_many_rooms")                                                        \
    X(RATE_LIMITED, "rate_limited")                                                            \
    X(UNKNOWN_METHOD, "unknown_method")                                                        \
    X(TIMEOUT, "timeout")                                                                      \
    X(FAILED, "failed")

enum answer_code {
#define X(name, text) ANSWER_##name,
    ANSWER_CODE_TABLE(X)
#undef X
};

struct answer_problem {
    enum answer_code code;
    const char *text; /* English text for a person; static */
};

/* A buffer of this size holds nearly all answers; only long names and refs with escapes need
 * more. */
enum { ANSWER_USUAL_BYTES = 512 };

/* What follows the answer to a join: kept values and events. A member whose `has_…` is false is not
 * written. */
struct answer_entry {
    bool has_state;
    bool has_replayed;
    bool has_complete;
    bool complete;
    size_t n_state;
    size_t n_replayed;
};

/* In these functions `ref` is the JSON text of the client's ref; ref_length is 0 if it gave
 * none. */

/* `secret`: of the session's id, which is "CONNECTION_NAME.SECRET"; NULL: the client has none. */
void answer_welcome(struct buffer *buffer, const char *connection_name, const char *secret,
                    const char *user_id, const char *id, uint32_t ping_interval_ms);

void answer_recovered(struct buffer *buffer, bool is_complete, uint64_t count, const char *id);

/* Write an answer up to the id of the newest event. That id is known only when the answer takes
 * its place between the events: the sender then adds the id and ANSWER_AFTER_ID. `type` is
 * "room_joined" or "room_left" for answer_room(), "pong" or "authenticated" for answer_id(). */
void answer_room(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *room, const struct answer_entry *entry);
void answer_id(struct buffer *buffer, const char *type, const char *ref, size_t ref_length);

#define ANSWER_AFTER_ID "\"}}"

void answer_error(struct buffer *buffer, const char *ref, size_t ref_length,
                  struct answer_problem problem);

/* `type` is "ack", "response" or "error"; `data` is a JSON text, or NULL if the answer has none. */
void answer_data(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *data, size_t data_length);

/* Writes {"type":"presence"} up to its data; the caller adds these, and "}". `room`: NULL for
 * the whole service. */
void answer_presence_begin(struct buffer *buffer, const char *ref, size_t ref_length,
                           const char *room);

/* Writes the data of an error of the application. */
void answer_error_data(struct buffer *buffer, const char *code, const char *text);

#endif
