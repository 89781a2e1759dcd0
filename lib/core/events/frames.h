/* frames.h: bytes for clients, made once and shared by every recipient's queue: consecutive
 * whole frames, or other output of a transport.
 * Not here: the frames' content and recipients (message.h). */
#ifndef WS_CORE_EVENTS_FRAMES_H
#define WS_CORE_EVENTS_FRAMES_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* The kinds of forms; each is followed by room for the window sizes of compressed ones, or for a
 * set of flags. */
enum { FORM_COMPRESSED = 0, FORM_SOCKETIO = 32, FORM_SSE = 64 };

/* Another form of the same frames, for clients that understand it. */
struct frames_variant {
    struct frames_variant *next;
    struct frames *form; /* one reference; NULL: the form would not be smaller */
    int kind;            /* FORM_…, plus the window bits if it is compressed, or flags */
};

/* Once shared, only `refs` and `variants` change. */
struct frames {
    const ws_allocator *memory; /* the manager's, which outlives its messages */
    union {
        _Atomic(struct frames_variant *) variants;
        struct frames *holder; /* of a form that is_held: the frames whose variant it is */
    };
    _Atomic uint32_t refs;
    uint32_t start;         /* offset of the bytes in this struct */
    uint32_t length;        /* of the bytes */
    uint16_t before_last;   /* bytes of the frames before the last one, at most UINT16_MAX */
    uint16_t n_frames : 14; /* each has a whole message */
    bool is_own : 1; /* for one client alone: its queue counts the memory that they cost */
    /* A reference of this form is one of its holder: who delivers a message, and so has a reference
     * of it, queues the form without counting (two atomic operations of three). */
    bool is_held : 1;
};

static_assert(sizeof(struct frames) <= 32, "every event has this header");

/* Makes an empty struct with room for `capacity` bytes. NULL if memory ran out, or if `length`
 * could not count so many: a message of 1 GiB can be several times as long in another form. One
 * reference is the caller's. */
struct frames *frames_new(const ws_allocator *memory, size_t capacity);

/* Makes a copy of bytes, for one client alone. */
struct frames *frames_new_own(const ws_allocator *memory, const void *bytes, size_t length);

static inline const uint8_t *frames_bytes(const struct frames *frames)
{
    return (const uint8_t *)frames + frames->start;
}

/* Where the next frame is written before frames_add(). */
static inline uint8_t *frames_end(struct frames *frames)
{
    return (uint8_t *)frames + frames->start + frames->length;
}

/* Adds the frame of `length` bytes that was written at frames_end(). */
void frames_add(struct frames *frames, size_t length);

/* Frees the unused memory after frames that have one reference; returns them, moved or not. */
struct frames *frames_trim(struct frames *frames);

/* Whether a reference of a message's frames is one of this form of theirs. */
static inline bool frames_hold(const struct frames *frames, const struct frames *form)
{
    return form == frames || form->is_held;
}

/* Takes `n` references in one step, of the holder if the frames are held. */
static inline void frames_ref_n(struct frames *frames, uint32_t n)
{
    if (frames->is_held)
        frames = frames->holder;
    atomic_fetch_add_explicit(&frames->refs, n, memory_order_relaxed);
}

/* Gives `n` references back, which must not be the last. */
static inline void frames_unref_n(struct frames *frames, uint32_t n)
{
    atomic_fetch_sub_explicit(&frames->refs, n, memory_order_release);
}

/* Gives one reference back, of the holder if the frames are held. The last one frees the block that
 * begins with the frames, and the variants. */
void frames_unref(struct frames *frames);

/* Finds the variant of a kind; NULL if there is none yet. Any thread that holds a reference. */
struct frames_variant *frames_find_variant(const struct frames *frames, int kind);

/* The memory of the variants. Any thread that holds a reference. */
size_t frames_variant_bytes(const struct frames *frames);

/* Adds a variant and takes over the reference of `form`, which may be NULL. Returns it, or the
 * one of that kind that another thread has added meanwhile. NULL if memory ran out. The form is
 * held by `frames` unless it is shorter: a queue of compressed forms must not keep messages in
 * memory that its limit does not count. Nor are forms for one client held. */
struct frames_variant *frames_add_variant(struct frames *frames, int kind, struct frames *form);

#endif
