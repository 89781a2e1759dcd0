/* loop_state.c: the list of a loop's connections that have output. */
#include "core/loop_state.h"

#include "base/forks.h"

bool loop_is_parents(const ws_loop *loop)
{
    return loop->n_forks != forks_count();
}

void loop_list_output(ws_loop *loop, enum output_kind kind, struct output_node *node)
{
    struct output_list *list = &loop->outputs[kind];

    loop_assert_thread(loop);
    if (node->next != NULL)
        return;
    node->next = OUTPUT_END;
    if (list->first == OUTPUT_END)
        list->first = node;
    else
        list->last->next = node;
    list->last = node;
}

struct output_node *loop_next_output(ws_loop *loop, enum output_kind kind)
{
    struct output_list *list = &loop->outputs[kind];
    struct output_node *node = list->first;

    loop_assert_thread(loop);
    if (node == OUTPUT_END)
        return NULL;
    list->first = node->next;
    node->next = NULL;
    return node;
}
