/* thread.c: what each thread of the server has for its clients, most of it for their tokens. */
#include "thread.h"

#include <stddef.h>

static _Thread_local struct thread *current;

struct thread *thread_current(void)
{
    return current;
}

void thread_begin(struct thread *thread, ws_server *server)
{
    thread->server = server;
    current = thread;
}

void thread_note(const struct thread *thread, const struct expiry *expiry)
{
    if (expiry_first(&thread->expiries) == expiry)
        ws_server_wake(thread->server, thread->number);
}

void thread_disconnect(ws_manager *manager, ws_conn_id id, uint16_t code, const char *reason)
{
    const struct disconnect disconnect = {.id = id, .code = code, .reason = reason};

    if (!disconnects_order(&current->disconnects, manager, &disconnect))
        ws_server_wake(current->server, current->number);
}
