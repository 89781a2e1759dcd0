/* answer.h: writes the server's messages to one client as JSON: welcome, answers, errors.
 * Not here: events, which many clients receive (core/events/message.h). */
#ifndef WS_PROTOCOL_JSON_ANSWER_H
#define WS_PROTOCOL_JSON_ANSWER_H

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
    X(RATE_LIMITED, "rate_limited")

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

/* In these functions `ref` is the JSON text of the client's ref; ref_length is 0 if it gave
 * none. */

void answer_welcome(struct buffer *buffer, const char *connection_name, const char *user_id,
                    const char *id, uint32_t ping_interval_ms);

void answer_recovered(struct buffer *buffer, bool is_complete, uint64_t count, const char *id);

/* Write an answer up to the id of the newest event. That id is known only when the answer takes
 * its place between the events: the sender then adds the id and ANSWER_AFTER_ID. `type` is
 * "room_joined" or "room_left" for answer_room(), "pong" or "authenticated" for answer_id(). */
void answer_room(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *room);
void answer_id(struct buffer *buffer, const char *type, const char *ref, size_t ref_length);

#define ANSWER_AFTER_ID "\"}}"

void answer_error(struct buffer *buffer, const char *ref, size_t ref_length,
                  struct answer_problem problem);

#endif
