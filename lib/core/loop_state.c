/* loop_state.c: the list of a loop's connections that have output. */
#include "core/loop_state.h"

#include "base/forks.h"

bool loop_is_parents(const ws_loop *loop)
{
    return loop->n_forks != forks_count();
}

void loop_list_output(ws_loop *loop, struct output_node *node)
{
    loop_assert_thread(loop);
    if (node->next != NULL)
        return;
    node->next = OUTPUT_END;
    if (loop->output_first == OUTPUT_END)
        loop->output_first = node;
    else
        loop->output_last->next = node;
    loop->output_last = node;
}

struct output_node *loop_next_output(ws_loop *loop)
{
    struct output_node *node = loop->output_first;

    loop_assert_thread(loop);
    if (node == OUTPUT_END)
        return NULL;
    loop->output_first = node->next;
    node->next = NULL;
    return node;
}
