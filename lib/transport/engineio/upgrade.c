/* upgrade.c: the upgrade of a session from polling to WebSocket. */
#include "transport/engineio/upgrade.h"

#include <string.h>

#include "transport/engineio/session_table.h"
#include "transport/engineio/unconnected.h"

struct engineio_session *engineio_upgrade_find(const ws_loop *loop, const ws_endpoint *endpoint,
                                               const char *sid, bool *is_ours)
{
    struct session_node *node;
    struct engineio_session *session;
    struct sid_key key;
    uint32_t number;

    *is_ours = sid_read(sid, loop->manager, &number, &key) && number == loop->number;
    if (!*is_ours)
        return NULL;
    node = session_table_find(loop, &key);
    session = node != NULL ? node->session : NULL;
    if (session == NULL || session->endpoint != endpoint ||
        !session->carrier_class->can_leave(session->carrier))
        return NULL;
    return session;
}

bool engineio_probe_begin(struct engineio_session *probe, struct engineio_session *session)
{
    struct session_work *work = engineio_session_work(probe);

    if (work == NULL)
        return false;
    probe->probe = PROBE_BEGINS;
    work->probed = session;
    session->carrier_class->set_probe(session->carrier, probe, PROBE_BEGINS);
    return true;
}

/* The session moves, with what waits for the client. */
static void move(struct engineio_session *probe)
{
    struct engineio_session *session = probe->work->probed;
    const struct engineio_carrier *carrier_class = probe->carrier_class;
    void *carrier = probe->carrier;
    struct engineio_rest rest = {.awaits_pong = false};
    bool is_unconnected = engineio_session_unlist(session);

    session->carrier_class->leave(session->carrier, &rest);
    session->carrier_class = carrier_class;
    session->carrier = carrier;
    if (is_unconnected)
        unconnected_add(session);
    engineio_probe_detach(probe);
    engineio_session_free(probe);
    carrier_class->take_over(carrier, session, &rest);
    if (rest.is_writable && session->state < SESSION_ENDING)
        engineio_session_writable(session);
}

void engineio_upgrade_go_on(struct engineio_session *probe)
{
    struct engineio_session *session = probe->work->probed;

    if (probe->probe == PROBE_MOVES && session != NULL &&
        session->carrier_class->is_quiet(session->carrier))
        move(probe);
}

static bool is(const char *data, size_t length, const char *packet)
{
    return length == strlen(packet) && memcmp(data, packet, length) == 0;
}

static void answer_probe(struct engineio_session *probe)
{
    struct engineio_session *session = probe->work->probed;

    probe->probe = PROBE_ANSWERED;
    probe->carrier_class->push(probe->carrier, "3probe", strlen("3probe"));
    if (probe->work->probed == session) /* else the queue was full, which ends the probe */
        session->carrier_class->set_probe(session->carrier, probe, PROBE_ANSWERED);
}

uint32_t engineio_probe_received(struct engineio_session *probe, const char *data,
                                 size_t length, bool is_text, struct engineio_verdict *verdict)
{
    if (is_text && probe->probe == PROBE_BEGINS && is(data, length, "2probe")) {
        answer_probe(probe);
    } else if (is_text && probe->probe == PROBE_ANSWERED && is(data, length, "5")) {
        probe->probe = PROBE_MOVES;
        engineio_upgrade_go_on(probe);
    } else {
        *verdict =
            (struct engineio_verdict){WS_CLOSE_PROTOCOL_ERROR, "not a packet of an upgrade"};
    }
    return INPUT_COST_MESSAGE;
}
