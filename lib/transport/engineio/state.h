/* state.h: the memory of a session of Engine.IO and of its sockets.
 * Not here: what happens to them (session.h). */
#ifndef WS_TRANSPORT_ENGINEIO_STATE_H
#define WS_TRANSPORT_ENGINEIO_STATE_H

#include "core/transport/transport_side.h"
#include "transport/engineio/config.h"
#include "transport/engineio/heads.h"
#include "transport/shared/endpoint.h"
#include "transport/shared/output_queue.h"
#include "transport/shared/shared_part.h"

struct engineio_session;
struct asking;
struct plan;
struct returning;

/* A socket: one client in one namespace. */
struct engineio_socket {
    struct connection connection;     /* the core's part */
    struct engineio_session *session; /* NULL: the core no longer calls it */
    struct engineio_socket *next;     /* in the session's list */
    const char *space_name;           /* of its namespace, in the configuration */
    uint8_t space;                    /* the number of its namespace */
    bool client_left : 1;             /* its client has disconnected it; the end is posted */
    bool is_returned : 1;             /* it has recovered a session, which kept.h knows */
    bool is_changed : 1;              /* its session is to be remembered (remember.h) */
    bool is_lost : 1;                 /* its session can no longer be recovered */
    uint32_t paused_until_ms; /* of the loop's clock; its session is not written before */
};

static_assert(sizeof(struct engineio_socket) <= 120, "an idle socket does not grow unnoticed");

/* The states of a probe (upgrade.h), in order. */
enum probe_state {
    PROBE_NONE,     /* the session is not a probe */
    PROBE_BEGINS,   /* "2probe" is awaited */
    PROBE_ANSWERED, /* "3probe" was sent: after the end of its poll the client sends "5" */
    PROBE_MOVES,    /* "5" has come: it moves when all that was posted is processed */
    PROBE_ENDS      /* of set_probe() alone */
};

/* What a session brings with it when it moves to another carrier. */
struct engineio_rest {
    struct output_queue queue; /* framed for WebSockets */
    bool awaits_pong;
    uint32_t ping_in_ms; /* if no pong is awaited: when the client must have the next ping */
    bool queue_high;     /* the application knows that the queue was above its high mark */
    bool is_writable; /* the queue is at its low mark; the application does not know it yet */
};

/* What carries sessions. `carrier` is the session's. */
struct engineio_carrier {
    bool is_websocket; /* it is a ws_websocket */

    /* Queues a message of the core for a socket; as builtin_transport's `send`. */
    int (*send)(void *carrier, const struct engineio_socket *socket, ws_message *message);

    /* Queues a packet of the session's own, a text. */
    void (*push)(void *carrier, const char *packet, size_t length);

    /* Ends the carrier after what the core has posted: calls engineio_session_finish(). */
    void (*fail)(void *carrier, uint16_t code, const char *text);

    /* The core has ended the last socket of a session that ends: closes after what is
     * queued. */
    void (*close)(void *carrier, uint16_t code, const char *reason, size_t length);

    /* Ends the carrier of a session without a socket at once, in favour of others. */
    void (*give_way)(void *carrier);

    /* Enclose what may call the application: the host may free the carrier there, and the session
     * with it. */
    void (*hold)(void *carrier);
    void (*let_go)(void *carrier);

    /* The host's pointer on it; NULL: it is none of the host's. */
    void *(*host_data)(const void *carrier);

    /* Of a carrier that a session can leave, else NULL: whether a probe may begin; one has come so
     * far; nothing of the client is unprocessed; the session leaves, and does not belong to the
     * carrier any more, which ends. */
    bool (*can_leave)(const void *carrier);
    void (*set_probe)(void *carrier, struct engineio_session *probe, enum probe_state state);
    bool (*is_quiet)(const void *carrier);
    void (*leave)(void *carrier, struct engineio_rest *rest);

    /* Of a carrier that can probe, else NULL: a session arrives, in place of the probe. */
    void (*take_over)(void *carrier, struct engineio_session *session,
                      struct engineio_rest *rest);
};

/* The states, in order: a session never returns to an earlier one. */
enum session_state {
    SESSION_NEW,       /* no socket was connected yet */
    SESSION_CONNECTED, /* it has a socket, or had one */
    SESSION_ENDING,    /* the ends of its sockets are posted */
    SESSION_GONE       /* the carrier is lost */
};

struct engineio_session {
    const struct engineio_carrier *carrier_class;
    void *carrier;
    const ws_endpoint *endpoint; /* the carrier's reference */
    ws_loop *loop;
    struct engineio_socket *sockets;
    struct session_work *work; /* what is needed only for a while; NULL: nothing */
    uint32_t minute;           /* of the loop's clock, in which n_connects were counted */
    uint8_t n_connects;        /* CONNECT packets in that minute */
    uint8_t state : 2;         /* enum session_state */
    uint8_t probe : 3;         /* enum probe_state; a probe stands for work->probed */
    bool is_raw : 1;           /* its messages are the application's, without Socket.IO */
    uint8_t client_class;      /* of its client's name; 0 if it has none */
};

static_assert(sizeof(struct engineio_session) <= 56, "an idle session does not grow unnoticed");

/* What a session needs only for a while. */
struct session_work {
    /* Of kind TIMER_ENGINEIO: while it has no socket, or keeps its request. */
    struct timer timer;

    struct engineio_session *session;
    struct session_list *list;  /* while it has no socket (unconnected.h); else NULL */
    struct session_work *newer; /* in the list */
    struct session_work *older;
    struct kept_head head;           /* of its request */
    struct attachments *attachments; /* NULL: no packet is unfinished */
    struct asking *asking;           /* while its client's former session is asked for */
    struct returning *returning;     /* until its client recovers its session (recovery.h) */
    struct plan *plan;               /* a room that its client joins or leaves (receipt.h) */
    struct waiting_ack *acks;        /* the highest id first (acks.h) */
    uint32_t n_acks;
    struct engineio_session *probed; /* of a probe; NULL: that session has ended */
    struct input *held; /* of a probe: its client's, until that session moves or ends */
};

/* The session's work, made if necessary; NULL if memory ran out. */
struct session_work *engineio_session_work(struct engineio_session *session);

/* Frees the work if it is no longer needed. */
void engineio_session_trim(struct engineio_session *session);

/* Removes the session from the list of those without a socket (unconnected.h); false if it is
 * not in it. */
bool engineio_session_unlist(struct engineio_session *session);

/* Frees what only a session that goes on needs: its request, and a packet or a question that are
 * not complete. A session that has ended may be kept for a while. */
void engineio_session_drop_unfinished(struct engineio_session *session);

/* Frees the work, whose acknowledgements are settled. */
void engineio_session_free_work(struct engineio_session *session);

/* Ends a probe: the session that it stands for stays where it is. Does nothing for any other
 * session. */
void engineio_probe_end(struct engineio_session *session);

/* The probe stands for no session any more, and what its client has sent is processed. */
void engineio_probe_detach(struct engineio_session *probe);

/* The session's socket in a namespace; NULL if there is none. */
struct engineio_socket *engineio_session_find(const struct engineio_session *session,
                                              uint8_t space);

static inline const ws_allocator *
engineio_session_memory(const struct engineio_session *session)
{
    return &session->loop->manager->memory;
}

#endif
