/* frame_event.h: the results of reading a client's frames.
 *
 * A client can send millions of frames per second, so an event is not returned by value through
 * the files that read them: the caller passes one whose kind is FRAME_NOTHING, and the function
 * that finds something else sets the kind and the members that this kind has. */
#ifndef WS_TRANSPORT_WEBSOCKET_FRAME_EVENT_H
#define WS_TRANSPORT_WEBSOCKET_FRAME_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/close_code.h>

enum frame_event_kind {
    FRAME_NOTHING, /* all bytes were processed */
    FRAME_MORE,    /* no event yet, but the cost is so high that other clients get their turn */
    FRAME_WAITS,   /* no event yet: a message is inflated when those of others are */
    FRAME_MESSAGE, /* a whole message: data, length, is_text */
    FRAME_PING,    /* data, length */
    FRAME_PONG,
    FRAME_CLOSE, /* code (WS_CLOSE_NO_STATUS: none), data and length: the reason */
    FRAME_ERROR, /* the peer violated the protocol: code and text for a close frame */
    FRAME_NO_MEMORY
};

/* Only the members that the kind names are set. */
struct frame_event {
    enum frame_event_kind kind;
    bool is_text;
    uint16_t code;
    void *data; /* the caller may change it; valid until the next call on the reader */
    size_t length;
    const char *text; /* static */
};

/* Sets FRAME_ERROR; returns false. */
static inline bool frame_event_error(struct frame_event *event, uint16_t code, const char *text)
{
    event->kind = FRAME_ERROR;
    event->code = code;
    event->text = text;
    return false;
}

/* Sets FRAME_NO_MEMORY; returns false. */
static inline bool frame_event_no_memory(struct frame_event *event)
{
    event->kind = FRAME_NO_MEMORY;
    return false;
}

/* Whether no event can follow it (RFC 6455 §7.1.7). */
static inline bool frame_event_is_failure(const struct frame_event *event)
{
    return event->kind == FRAME_ERROR || event->kind == FRAME_NO_MEMORY;
}

#endif
