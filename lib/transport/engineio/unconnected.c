/* unconnected.c: the sessions of a loop whose client has no socket. */
#include "transport/engineio/unconnected.h"

static void add(struct session_list *list, struct session_work *work)
{
    work->list = list;
    work->newer = NULL;
    work->older = list->newest;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = work;
    list->newest = work;
    list->count++;
}

static struct session_list *longest(struct session_lists *lists)
{
    struct session_list *found = &lists->of_class[0];

    for (int i = 1; i < CLIENT_CLASSES; i++)
        if (lists->of_class[i].count > found->count)
            found = &lists->of_class[i];
    return found;
}

void unconnected_add(struct engineio_session *session)
{
    bool is_websocket = session->carrier_class->is_websocket;
    struct session_lists *lists = &shared_part_of(session->loop)->unconnected[is_websocket];
    struct engineio_session *oldest;

    if (session->work->list != NULL)
        return;
    add(&lists->of_class[session->client_class], session->work);
    if (++lists->count <= (is_websocket ? UNCONNECTED_WEBSOCKET_MAX : UNCONNECTED_POLLING_MAX))
        return;
    oldest = longest(lists)->oldest->session;
    engineio_session_unlist(oldest);
    oldest->carrier_class->give_way(oldest->carrier);
}
