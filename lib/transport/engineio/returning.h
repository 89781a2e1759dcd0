/* returning.h: a client of Socket.IO that wants to recover its session. */
#ifndef WS_TRANSPORT_ENGINEIO_RETURNING_H
#define WS_TRANSPORT_ENGINEIO_RETURNING_H

#include "transport/engineio/pid.h"
#include "transport/engineio/record.h"
#include "transport/shared/unfinished.h"

struct returning {
    struct pid pid;
    char after[PID_OFFSET_SIZE]; /* the id of the last event that it has */
    struct record *record;
};

/* NULL does nothing. */
static inline void engineio_returning_free(struct returning *returning,
                                           const ws_allocator *memory)
{
    if (returning == NULL)
        return;
    memory_free(memory, returning->record);
    memory_free(memory, returning);
}

/* A client whose session was asked for. */
struct asking {
    struct engineio_session *session;
    struct unfinished unfinished; /* what the client sent */
    struct recall *recall;        /* NULL: it is answered */
    struct timer timer;           /* until which an answer is awaited */
    struct returning *returning;
    /* What comes next; takes over `returning`, which is NULL if the session is not known. */
    void (*go_on)(struct engineio_session *session, struct json_slice auth,
                  struct returning *returning);
    size_t length;
    char auth[];
};

/* NULL does nothing. */
static inline void engineio_asking_free(struct asking *asking, const ws_loop *loop)
{
    const ws_allocator *memory = &loop->manager->memory;

    if (asking == NULL)
        return;
    unfinished_count(loop, &asking->unfinished, 0);
    timer_stop(&asking->timer);
    if (asking->recall != NULL)
        cluster_recall_abandon(asking->recall);
    engineio_returning_free(asking->returning, memory);
    memory_free(memory, asking);
}

#endif
