/* handshakes.c: bounds the memory of unfinished handshakes of TLS. */
#include "server/connection/handshakes.h"

#include "server/connection/connection.h"
#include "server/connection/http_turns.h"
#include "server/parts/refusal_log.h"

enum {
    MOST_UNFINISHED = 1024,
    /* A round trip on a slow network. As many silent clients as a loop accepts (LOOP_MOST_HTTP)
     * delay others by four times as long. */
    LEAST_MS = 1000
};

/* The oldest handshake that may give way; NULL if there is still room. */
static struct connection *in_the_way(const struct loop *loop)
{
    const struct timer_queue *unfinished = &loop->timeouts[TIMEOUT_HANDSHAKE];

    return unfinished->count < MOST_UNFINISHED ? NULL
                                               : connection_first_of_strangers(unfinished);
}

uint64_t handshakes_due_ms(const struct loop *loop)
{
    const struct connection *oldest = in_the_way(loop);

    if (loop->turns.handshakes.count == 0)
        return WS_NO_DEADLINE;
    return oldest == NULL ? loop->now_ms
                          : oldest->timer.due_ms -
                                loop->timeouts[TIMEOUT_HANDSHAKE].duration_ms + LEAST_MS;
}

void handshakes_serve(struct loop *loop)
{
    struct http_queue *waiting = &loop->turns.handshakes;
    bool is_first = true; /* one in each turn, so that requests do not keep out new clients */

    while (handshakes_due_ms(loop) <= loop->now_ms && (is_first || loop->turns.left > 0)) {
        struct connection *oldest = in_the_way(loop);
        struct connection *next;

        if (oldest != NULL) {
            refusal_log_address(&loop->server->log, &oldest->peer, 0,
                                "too many TLS handshakes are unfinished");
            connection_close(oldest);
        }
        next = waiting->first;
        http_queue_remove(next);
        connection_http_go_on(next);
        is_first = false;
    }
}
