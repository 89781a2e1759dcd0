/* heads.c: the request heads that sessions keep. */
#include "transport/engineio/heads.h"

void heads_may_go(const ws_loop *loop, struct kept_head *head)
{
    struct head_list *list = &shared_part_of(loop)->heads.of_class[head->client_class];

    if (head->request == NULL || head->may_go)
        return;
    list->bytes += head->bytes;
    head->may_go = true;
    head->newer = NULL;
    head->older = list->newest;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = head;
    list->newest = head;
}

static void unlist(struct head_list *list, struct kept_head *head)
{
    list->bytes -= head->bytes;
    head->may_go = false;
    *(head->older != NULL ? &head->older->newer : &list->oldest) = head->newer;
    *(head->newer != NULL ? &head->newer->older : &list->newest) = head->older;
}

void heads_keep(const ws_loop *loop, struct kept_head *head, struct request *request,
                uint8_t client_class)
{
    head->request = request;
    head->bytes = request_bytes(request);
    head->client_class = client_class;
    shared_part_of(loop)->heads.bytes += head->bytes;
    if (head->bytes > HEADS_SMALL_BYTES)
        heads_may_go(loop, head);
}

void heads_drop(const ws_loop *loop, struct kept_head *head)
{
    struct head_lists *lists = &shared_part_of(loop)->heads;

    if (head->request == NULL)
        return;
    lists->bytes -= head->bytes;
    if (head->may_go)
        unlist(&lists->of_class[head->client_class], head);
    request_free(head->request);
    head->request = NULL;
}

struct kept_head *heads_excess(const ws_loop *loop)
{
    const struct head_lists *lists = &shared_part_of(loop)->heads;
    const struct head_list *found = &lists->of_class[0];

    if (lists->bytes <= HEADS_BYTES)
        return NULL;
    for (int i = 1; i < CLIENT_CLASSES; i++)
        if (lists->of_class[i].bytes > found->bytes)
            found = &lists->of_class[i];
    return found->oldest;
}
