/* unfinished.h: the bytes that a loop's clients have sent of what is not complete: messages,
 * packets whose attachments are missing, heads and bodies of requests; and of what is complete, but
 * may wait for long, because its client has to read first. They have a common limit.
 * Not here: the bytes themselves (frame_reader.c, engineio/attachments.h, shared/request.h,
 * http/body.h). */
#ifndef WS_TRANSPORT_SHARED_UNFINISHED_H
#define WS_TRANSPORT_SHARED_UNFINISHED_H

#include "core/transport/transport_side.h"
#include "transport/shared/shared_part.h"

enum {
    /* Of a loop's clients; more if that is less than UNFINISHED_LARGEST messages of the largest
     * size. */
    UNFINISHED_BYTES = 256 << 20,
    UNFINISHED_LARGEST = 16
};

/* Why one of them ends. */
#define UNFINISHED_TOO_MANY "too many unfinished messages"

/* What one client has not completed. */
struct unfinished {
    struct unfinished *newer; /* among the loop's, while `bytes` is not 0 */
    struct unfinished *older;
    size_t bytes;
    void *owner;
    void (*give_way)(void *owner); /* ends it, so that its bytes are freed and counted as 0 */
};

/* Changes the number of bytes, in the loop's sum too. */
void unfinished_change(const ws_loop *loop, struct unfinished *unfinished, size_t bytes);

/* Sets the number of bytes: 0 before they are freed. Most messages arrive whole, and change
 * nothing. */
static inline void unfinished_count(const ws_loop *loop, struct unfinished *unfinished,
                                    size_t bytes)
{
    if (bytes != unfinished->bytes)
        unfinished_change(loop, unfinished, bytes);
}

/* If the loop's clients have too many bytes: what began first, of all with more than an equal
 * share. The caller ends it. Else NULL. */
struct unfinished *unfinished_excess(const ws_loop *loop, uint32_t max_message_bytes);

#endif
