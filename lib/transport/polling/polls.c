/* polls.c: the GET requests that wait for a session's packets. */
#include "transport/polling/polls.h"

#include "transport/polling/life.h"

/* A client polls again when it has read an answer. That thread may not know yet that the last
 * bytes of this one are written, so one may seem to be unread. */
enum { UNREAD_MAX = 1 };

/* Answers a poll if something is queued for it. A session whose ping was not answered in time has
 * ended, although its timer, which may be late, does not know it yet. */
static void try_to_answer(struct polling *polling)
{
    struct ticket *poll = polling->poll;

    poll->has_waited = true;
    if (polling_is_lost(polling)) {
        polling->poll = NULL;
        ticket_finish(polling->loop, poll, 400, POLLING_UNKNOWN_SID);
        polling_doom(polling);
    } else if (polling_has_output(polling)) {
        polling_respond(polling);
        polling_end_if_closed(polling);
    }
}

void polling_fill(struct ticket *poll)
{
    if (poll->polling != NULL)
        try_to_answer(poll->polling);
}

/* A client has one poll at a time. One that polls without reading the answers would have as many of
 * them as connections. */
void polling_accept_poll(struct polling *polling, struct ticket *poll)
{
    if (polling->poll != NULL || polling->is_doomed ||
        ticket_count_unread(&polling->unread) > UNREAD_MAX) {
        ticket_finish(polling->loop, poll, 400, POLLING_BAD_REQUEST);
        polling_lose(polling);
        return;
    }
    polling->poll = poll;
    poll->polling = polling;
    if (poll->origin != polling->loop->number)
        try_to_answer(polling);
    else if (poll->http != NULL) /* the end of the turn knows the time */
        loop_list_output(polling->loop, OUTPUT_HTTP, &poll->http->output);
}
