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

/* Another form of the same frames, for clients that understand it. */
struct frames_variant {
    struct frames_variant *next;
    struct frames *form; /* one reference; NULL: the form is no better */
    int kind;            /* defined by the transport */
};

/* Once shared, only `refs` and `variants` change. */
struct frames {
    const ws_allocator *memory; /* the manager's, which outlives its messages */
    _Atomic(struct frames_variant *) variants;
    _Atomic uint32_t refs;
    uint32_t start;         /* offset of the bytes in this struct */
    uint32_t length;        /* of the bytes */
    uint16_t before_last;   /* bytes of the frames before the last one */
    uint16_t n_frames : 15; /* each has a whole message */
    bool is_own : 1; /* for one client alone: its queue counts the memory that they cost */
};

static_assert(sizeof(struct frames) <= 32, "every event has this header");

/* Makes an empty struct with room for `capacity` bytes. NULL if memory ran out. One reference
 * is the caller's. */
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

/* Adds the frame of `length` bytes that was written at frames_end(). All frames except the last
 * have at most UINT16_MAX bytes together. */
void frames_add(struct frames *frames, size_t length);

/* Frees the unused memory after frames that have one reference; returns them, moved or not. */
struct frames *frames_trim(struct frames *frames);

/* Takes `n` references in one step. */
static inline void frames_ref_n(struct frames *frames, uint32_t n)
{
    atomic_fetch_add_explicit(&frames->refs, n, memory_order_relaxed);
}

/* Gives `n` references back, which must not be the last. */
static inline void frames_unref_n(struct frames *frames, uint32_t n)
{
    atomic_fetch_sub_explicit(&frames->refs, n, memory_order_release);
}

/* Gives one reference back. The last one frees the block that begins with the frames, and the
 * variants. */
void frames_unref(struct frames *frames);

/* Finds the variant of a kind; NULL if there is none yet. Any thread that holds a reference. */
struct frames_variant *frames_find_variant(const struct frames *frames, int kind);

/* Adds a variant and takes over the reference of `form`, which may be NULL. Returns it, or the
 * one of that kind that another thread has added meanwhile. NULL if memory ran out. */
struct frames_variant *frames_add_variant(struct frames *frames, int kind, struct frames *form);

#endif
