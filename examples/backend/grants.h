/* grants.h: what a token grants to a client that is accepted and not connected yet.
 *
 * A client of Socket.IO that polls has no connection of the backend's that could own its session,
 * and when the library cannot connect it after all, there is no callback for that. Therefore its
 * user_data is a number until it is connected, and numbers that are not asked for are forgotten. */
#ifndef BACKEND_GRANTS_H
#define BACKEND_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

/* More clients than this are never accepted and not connected yet: of those that a turn serves, and
 * of those that wait for their session to be recalled from the cluster (10,000 in a process). */
enum { GRANTS_MAX = 16384 };

struct grant {
    uintptr_t number; /* odd */
    int64_t expires_ms;
    bool is_staff;
};

/* Of a loop. All zero: empty. */
struct grants {
    struct grant latest[GRANTS_MAX];
    uintptr_t n_added;
};

/* Remembers a grant; returns the user_data of its client. */
static inline void *grants_add(struct grants *grants, int64_t expires_ms, bool is_staff)
{
    uintptr_t number = 2 * grants->n_added + 1;

    grants->latest[grants->n_added++ % GRANTS_MAX] =
        (struct grant){number, expires_ms, is_staff};
    return (void *)number;
}

/* Whether a client's user_data is such a number, and no pointer. */
static inline bool grants_made(const void *user_data)
{
    return (uintptr_t)user_data % 2 != 0;
}

/* The grant; NULL if it was forgotten. */
static inline const struct grant *grants_find(const struct grants *grants,
                                              const void *user_data)
{
    uintptr_t number = (uintptr_t)user_data;
    const struct grant *grant = &grants->latest[number / 2 % GRANTS_MAX];

    return grant->number == number ? grant : NULL;
}

#endif
