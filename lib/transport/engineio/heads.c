/* heads.c: the request heads that sessions keep. */
#include "transport/engineio/heads.h"

void heads_may_go(const ws_loop *loop, struct kept_head *head)
{
    struct head_list *list = &shared_part_of(loop)->heads;

    if (head->request == NULL || head->may_go)
        return;
    head->may_go = true;
    head->newer = NULL;
    head->older = list->newest;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = head;
    list->newest = head;
}

static void unlist(struct head_list *list, struct kept_head *head)
{
    head->may_go = false;
    *(head->older != NULL ? &head->older->newer : &list->oldest) = head->newer;
    *(head->newer != NULL ? &head->newer->older : &list->newest) = head->older;
}

void heads_keep(const ws_loop *loop, struct kept_head *head, struct request *request)
{
    struct head_list *list = &shared_part_of(loop)->heads;
    size_t bytes = request_bytes(request);

    head->request = request;
    list->bytes += bytes;
    if (bytes > HEADS_SMALL_BYTES)
        heads_may_go(loop, head);
}

void heads_drop(const ws_loop *loop, struct kept_head *head)
{
    struct head_list *list = &shared_part_of(loop)->heads;

    if (head->request == NULL)
        return;
    list->bytes -= request_bytes(head->request);
    if (head->may_go)
        unlist(list, head);
    request_free(head->request);
    head->request = NULL;
}

struct kept_head *heads_excess(const ws_loop *loop)
{
    const struct head_list *list = &shared_part_of(loop)->heads;

    return list->bytes > HEADS_BYTES ? list->oldest : NULL;
}
