/* state.c: the memory of a session of Engine.IO and of its sockets. */
#include "transport/engineio/state.h"

#include "transport/engineio/attachments.h"
#include "transport/engineio/plan.h"
#include "transport/engineio/returning.h"

struct session_work *engineio_session_work(struct engineio_session *session)
{
    if (session->work == NULL) {
        session->work = memory_zalloc(engineio_session_memory(session), sizeof *session->work);
        if (session->work == NULL)
            return NULL;
        session->work->session = session;
        session->work->timer.kind = TIMER_ENGINEIO;
    }
    return session->work;
}

bool engineio_session_unlist(struct engineio_session *session)
{
    struct session_work *work = session->work;
    struct session_list *list = work != NULL ? work->list : NULL;
    bool is_websocket = session->carrier_class->is_websocket;

    if (list == NULL)
        return false;
    work->list = NULL;
    *(work->older != NULL ? &work->older->newer : &list->oldest) = work->newer;
    *(work->newer != NULL ? &work->newer->older : &list->newest) = work->older;
    list->count--;
    shared_part_of(session->loop)->unconnected[is_websocket].count--;
    return true;
}

void engineio_session_drop_unfinished(struct engineio_session *session)
{
    struct session_work *work = session->work;

    if (work == NULL)
        return;
    heads_drop(session->loop, &work->head);
    attachments_free(session->loop, work->attachments);
    engineio_asking_free(work->asking, session->loop);
    plan_free(work->plan, session->loop);
    work->attachments = NULL;
    work->asking = NULL;
    work->plan = NULL;
}

void engineio_session_free_work(struct engineio_session *session)
{
    struct session_work *work = session->work;

    if (work == NULL)
        return;
    engineio_session_unlist(session);
    timer_stop(&work->timer);
    engineio_session_drop_unfinished(session);
    engineio_returning_free(work->returning, engineio_session_memory(session));
    memory_free(engineio_session_memory(session), work);
    session->work = NULL;
}

void engineio_session_trim(struct engineio_session *session)
{
    struct session_work *work = session->work;

    if (work != NULL && work->list == NULL && work->head.request == NULL &&
        work->attachments == NULL && work->acks == NULL && work->asking == NULL &&
        work->returning == NULL && work->plan == NULL && work->probed == NULL &&
        work->timer.link == NULL)
        engineio_session_free_work(session);
}

void engineio_probe_end(struct engineio_session *session)
{
    struct engineio_session *probed;

    if (session->probe == PROBE_NONE || session->work == NULL || session->work->probed == NULL)
        return;
    probed = session->work->probed;
    engineio_probe_detach(session);
    probed->carrier_class->set_probe(probed->carrier, session, PROBE_ENDS);
}

void engineio_probe_detach(struct engineio_session *probe)
{
    probe->work->probed = NULL;
    input_list_release(&probe->loop->inputs, &probe->work->held);
}

struct engineio_socket *engineio_session_find(const struct engineio_session *session,
                                              uint8_t space)
{
    struct engineio_socket *socket = session->sockets;

    while (socket != NULL && socket->space != space)
        socket = socket->next;
    return socket;
}
