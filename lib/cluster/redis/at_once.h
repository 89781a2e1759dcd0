/* at_once.h: how many events are asked for, or sent, at once: few enough to be half a megabyte, and
 * to get through whatever limits there are on the way (Redis' client-output-buffer-limit and
 * client-query-buffer-limit, a slow line). Those are not known: a connection that ends before
 * anything came through it is all that is seen of them. Not here: what is asked (reader.c, load.c,
 * fetches.c) and sent (writer.c). */
#ifndef WS_REDIS_AT_ONCE_H
#define WS_REDIS_AT_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AT_ONCE_BYTES = 512 << 10,
    AT_ONCE_ATTEMPTS = 5 /* at one event alone; then it is hopeless */
};

struct at_once {
    uint32_t most;
    uint32_t events;   /* the next time: at least 1 */
    uint32_t ceiling;  /* more did not get through */
    uint32_t n_passed; /* times that some did since then */
    size_t mean_bytes; /* of an event, as of late; 0: unknown */

    /* Times that the connection ended with one event under way, that at a place. */
    uint32_t n_cut_single;
    uint64_t cut_at;
};

void at_once_init(struct at_once *at_once, uint32_t first, uint32_t most);

/* So many events got through, of so many bytes (0: unknown). */
void at_once_passed(struct at_once *at_once, size_t n_events, size_t bytes);

/* So many did not, the first of them at a place: `was_cut` when the connection ended, and did not
 * only take too long. Half as many from now on; then again more, slowly. */
void at_once_failed(struct at_once *at_once, uint32_t n_events, uint64_t place, bool was_cut);

/* Whether the event at a place, alone, has ended the connection again and again. */
bool at_once_is_hopeless(const struct at_once *at_once, uint64_t place);

/* What is at the place got through, or will be another event: that it ended the connection counts no
 * more. */
void at_once_forget(struct at_once *at_once, uint64_t place);

#endif
