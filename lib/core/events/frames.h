/* frames.h: bytes for clients, made once and shared by every recipient's queue: whole frames, one behind
 * the other, or what else a transport writes. Not here: what the frames carry, and whom it is for
 * (message.h). */
#ifndef WS_CORE_EVENTS_FRAMES_H
#define WS_CORE_EVENTS_FRAMES_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* The same frames for clients that understand another form. */
struct frames_variant {
    struct frames_variant *next;
    struct frames
        *form; /* one reference; NULL: that form is no better than the frames themselves */
    int kind;  /* the transport's */
};

/* Once shared, nothing changes but `refs` and `variants`. */
struct frames {
    const ws_allocator *memory; /* the manager's, which outlives its messages */
    _Atomic(struct frames_variant *) variants;
    _Atomic uint32_t refs;
    uint32_t start;         /* of the bytes, from the beginning of this struct */
    uint32_t length;        /* of the bytes */
    uint16_t before_last;   /* bytes of the frames before the last one */
    uint16_t n_frames : 15; /* each of a whole message */
    bool is_own : 1; /* for one client alone: its queue counts the memory that they cost */
};

static_assert(sizeof(struct frames) <= 32, "the header of what every event costs");

/* No frames yet, with room for `capacity` bytes. NULL if memory ran out. One reference is the
 * caller's. */
struct frames *frames_new(const ws_allocator *memory, size_t capacity);

/* A copy of bytes for one client alone. */
struct frames *frames_new_own(const ws_allocator *memory, const void *bytes, size_t length);

static inline const uint8_t *frames_bytes(const struct frames *frames)
{
    return (const uint8_t *)frames + frames->start;
}

/* Where the next frame is written, before it is added. */
static inline uint8_t *frames_end(struct frames *frames)
{
    return (uint8_t *)frames + frames->start + frames->length;
}

/* Adds the frame of `length` bytes that was written at frames_end(). Of several frames all but the last
 * have at most UINT16_MAX bytes together. */
void frames_add(struct frames *frames, size_t length);

/* Gives back the memory behind frames that nobody else has; returns them, moved or not. */
struct frames *frames_trim(struct frames *frames);

/* `n` more references, in one step. */
static inline void frames_ref_n(struct frames *frames, uint32_t n)
{
    atomic_fetch_add_explicit(&frames->refs, n, memory_order_relaxed);
}

/* Gives `n` references back, at least one of which is not the last. */
static inline void frames_unref_n(struct frames *frames, uint32_t n)
{
    atomic_fetch_sub_explicit(&frames->refs, n, memory_order_release);
}

/* Gives one reference back; the last one frees the block that begins with the frames, and gives back
 * their variants. */
void frames_unref(struct frames *frames);

/* The variant of a kind, NULL if there is none yet. Any thread that holds a reference. */
struct frames_variant *frames_find_variant(const struct frames *frames, int kind);

/* Adds a variant, whose reference (of `form`, which may be NULL) is used up, and returns it, or one
 * of the same kind that another thread has added meanwhile. NULL if memory ran out. */
struct frames_variant *frames_add_variant(struct frames *frames, int kind, struct frames *form);

#endif
