/* frame_event.h: what a client's frames bring. */
#ifndef WS_TRANSPORT_WEBSOCKET_FRAME_EVENT_H
#define WS_TRANSPORT_WEBSOCKET_FRAME_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_event_kind {
    FRAME_NOTHING, /* all bytes were looked at */
    FRAME_MORE, /* nothing came of what has cost so much that others may have their turn first */
    FRAME_MESSAGE, /* a whole message: data, length, is_text */
    FRAME_PING,    /* data, length */
    FRAME_PONG,
    FRAME_CLOSE, /* code (1005: none), data and length: the reason */
    FRAME_ERROR, /* the peer broke a rule: code and text for a close frame */
    FRAME_NO_MEMORY
};

struct frame_event {
    enum frame_event_kind kind;
    bool is_text;
    uint16_t code;
    const void *data; /* valid until the next call on the reader */
    size_t length;
    const char *text; /* static */
};

static inline struct frame_event frame_nothing(void)
{
    return (struct frame_event){.kind = FRAME_NOTHING};
}

static inline struct frame_event frame_no_memory(void)
{
    return (struct frame_event){.kind = FRAME_NO_MEMORY};
}

static inline struct frame_event frame_error(uint16_t code, const char *text)
{
    return (struct frame_event){.kind = FRAME_ERROR, .code = code, .text = text};
}

/* Whether nothing can come after it (RFC 6455 §7.1.7). */
static inline bool frame_event_is_failure(const struct frame_event *event)
{
    return event->kind == FRAME_ERROR || event->kind == FRAME_NO_MEMORY;
}

#endif
