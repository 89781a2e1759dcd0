/* frames.c: bytes for clients, made once and shared by every recipient's queue. */
#include "core/events/frames.h"

#include <string.h>

struct frames *frames_new(const ws_allocator *memory, size_t capacity)
{
    struct frames *frames;

    if (capacity > UINT32_MAX - sizeof *frames)
        return NULL;
    frames = memory_alloc(memory, sizeof *frames + capacity);
    if (frames == NULL)
        return NULL;
    *frames = (struct frames){.memory = memory, .start = sizeof *frames};
    atomic_init(&frames->refs, 1);
    return frames;
}

struct frames *frames_new_own(const ws_allocator *memory, const void *bytes, size_t length)
{
    struct frames *frames = frames_new(memory, length);

    if (frames == NULL)
        return NULL;
    frames->is_own = true;
    memcpy(frames_end(frames), bytes, length);
    frames_add(frames, length);
    return frames;
}

void frames_add(struct frames *frames, size_t length)
{
    frames->before_last = frames->length < UINT16_MAX ? (uint16_t)frames->length : UINT16_MAX;
    frames->length += (uint32_t)length;
    frames->n_frames++;
}

struct frames *frames_trim(struct frames *frames)
{
    struct frames *trimmed =
        memory_realloc(frames->memory, frames, frames->start + frames->length);

    return trimmed != NULL ? trimmed : frames;
}

/* Gives a reference back; true if it was the last. */
static bool give_back(struct frames *frames)
{
    if (atomic_fetch_sub_explicit(&frames->refs, 1, memory_order_release) != 1)
        return false;
    /* An acquire load instead of a fence, because ThreadSanitizer does not see fences. */
    (void)atomic_load_explicit(&frames->refs, memory_order_acquire);
    return true;
}

/* A variant has no variants of its own. One that is held has no references of its own either. */
static void free_variant(const ws_allocator *memory, struct frames_variant *variant)
{
    if (variant->form != NULL && (variant->form->is_held || give_back(variant->form)))
        memory_free(memory, variant->form);
    memory_free(memory, variant);
}

/* Not inlined, so that frames_unref() saves no registers. */
__attribute__((noinline)) static void free_all(struct frames *frames)
{
    struct frames_variant *variant = atomic_load(&frames->variants);

    while (variant != NULL) {
        struct frames_variant *next = variant->next;

        free_variant(frames->memory, variant);
        variant = next;
    }
    memory_free(frames->memory, frames);
}

void frames_unref(struct frames *frames)
{
    if (frames->is_held)
        frames = frames->holder;
    if (give_back(frames))
        free_all(frames);
}

struct frames_variant *frames_find_variant(const struct frames *frames, int kind)
{
    struct frames_variant *variant =
        atomic_load_explicit(&frames->variants, memory_order_acquire);

    while (variant != NULL && variant->kind != kind)
        variant = variant->next;
    return variant;
}

size_t frames_variant_bytes(const struct frames *frames)
{
    const struct frames_variant *variant =
        atomic_load_explicit(&frames->variants, memory_order_acquire);
    size_t bytes = 0;

    for (; variant != NULL; variant = variant->next) {
        bytes += sizeof *variant;
        if (variant->form != NULL)
            bytes += variant->form->start + variant->form->length;
    }
    return bytes;
}

struct frames_variant *frames_add_variant(struct frames *frames, int kind, struct frames *form)
{
    struct frames_variant *variant = memory_alloc(frames->memory, sizeof *variant);
    struct frames_variant *others;

    if (variant == NULL) {
        if (form != NULL)
            frames_unref(form);
        return NULL;
    }
    *variant = (struct frames_variant){.form = form, .kind = kind};
    if (form != NULL && !form->is_own && form->length >= frames->length) {
        form->is_held = true;
        form->holder = frames;
    }
    others = atomic_load_explicit(&frames->variants, memory_order_acquire);
    do {
        struct frames_variant *same = frames_find_variant(frames, kind);

        if (same != NULL) {
            free_variant(frames->memory, variant);
            return same;
        }
        variant->next = others;
    } while (!atomic_compare_exchange_weak_explicit(
        &frames->variants, &others, variant, memory_order_acq_rel, memory_order_acquire));
    return variant;
}
