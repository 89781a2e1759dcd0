/* heads.c: the request heads that sessions keep. */
#include "transport/engineio/heads.h"

void heads_may_go(const ws_loop *loop, struct kept_head *head)
{
    struct head_list *list = &shared_part_of(loop)->heads.of_class[head->client_class];

    if (head->request == NULL || head->may_go || head->is_dropped)
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

static void free_head(const ws_loop *loop, struct kept_head *head)
{
    shared_part_of(loop)->heads.bytes -= head->bytes;
    request_free(head->request);
    head->request = NULL;
    head->is_dropped = false;
}

void heads_drop(const ws_loop *loop, struct kept_head *head)
{
    if (head->request == NULL)
        return;
    if (head->may_go)
        unlist(&shared_part_of(loop)->heads.of_class[head->client_class], head);
    if (head->is_used)
        head->is_dropped = true;
    else
        free_head(loop, head);
}

void heads_use(struct kept_head *head)
{
    head->is_used = true;
}

void heads_used(const ws_loop *loop, struct kept_head *head)
{
    head->is_used = false;
    if (head->is_dropped)
        free_head(loop, head);
}

bool heads_fit(const ws_loop *loop, size_t bytes)
{
    return shared_part_of(loop)->heads.bytes + bytes <= HEADS_BYTES;
}

struct kept_head *heads_first_to_go(const ws_loop *loop, size_t bytes, uint8_t client_class)
{
    const struct head_list *lists = shared_part_of(loop)->heads.of_class;
    size_t most = bytes > HEADS_SMALL_BYTES ? lists[client_class].bytes + bytes : 0;
    struct kept_head *found = most > 0 ? lists[client_class].oldest : NULL;

    for (int i = 0; i < CLIENT_CLASSES; i++) {
        if (lists[i].bytes > most) {
            most = lists[i].bytes;
            found = lists[i].oldest;
        }
    }
    return found;
}
