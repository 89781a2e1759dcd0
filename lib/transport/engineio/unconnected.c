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

void unconnected_add(struct engineio_session *session)
{
    bool is_websocket = session->carrier_class->is_websocket;
    struct session_list *list = &shared_part_of(session->loop)->unconnected[is_websocket];
    struct engineio_session *oldest;

    if (session->work->list != NULL)
        return;
    add(list, session->work);
    if (list->count <= (is_websocket ? UNCONNECTED_WEBSOCKET_MAX : UNCONNECTED_POLLING_MAX))
        return;
    oldest = list->oldest->session;
    engineio_session_unlist(oldest);
    oldest->carrier_class->give_way(oldest->carrier);
}
