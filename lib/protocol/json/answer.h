/* answer.h: what the server says to one client, as JSON text: welcome, answers, errors. */
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
    const char *text; /* static, for a person */
};

/* `ref` is the JSON text of the client's ref, ref_length 0 if it gave none. */

void answer_welcome(struct buffer *buffer, const char *connection_name, const char *user_id,
                    const char *id, uint32_t ping_interval_ms);

void answer_recovered(struct buffer *buffer, bool is_complete, uint64_t count, const char *id);

/* The id of the newest event in these is only known when the answer takes its place among
 * the events: they end where it belongs, and ANSWER_AFTER_ID goes behind it. `type` is room_joined
 * or room_left; pong or authenticated. */
void answer_room(struct buffer *buffer, const char *type, const char *ref, size_t ref_length,
                 const char *room);
void answer_id(struct buffer *buffer, const char *type, const char *ref, size_t ref_length);

#define ANSWER_AFTER_ID "\"}}"

void answer_error(struct buffer *buffer, const char *ref, size_t ref_length,
                  struct answer_problem problem);

#endif
