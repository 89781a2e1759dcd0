/* thread.c: what each thread of the server has for the tokens of its clients. */
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
