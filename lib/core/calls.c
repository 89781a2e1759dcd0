/* calls.c: calls from one loop's thread to another's. */
#include "core/calls.h"

#include "core/backlog.h"
#include "core/inbox.h"

static int post(struct posting *posting, uint32_t number, struct loop_call *call, bool limited)
{
    ws_loop *loop = number < MANAGER_MAX_LOOPS ? posting->manager->loops[number] : NULL;
    int result = loop != NULL ? loop_reserve(loop, limited) : WS_ERR_NOT_FOUND;

    if (result == WS_OK)
        posting_push(posting, loop, &(struct command){.kind = COMMAND_CALL, .call = call});
    return result;
}

int loop_call_post(ws_loop *from, uint32_t number, struct loop_call *call, bool limited)
{
    struct account before;
    struct posting posting;
    int result;

    loop_assert_thread(from);
    if (limited && backlog_holds_clients_back(from))
        return WS_ERR_BACKPRESSURE;
    before = account_set_client(from->number);
    posting_begin(&posting, from->manager);
    result = post(&posting, number, call, limited);
    posting_end(&posting);
    account_set(before);
    return result;
}
