/* input_list.c: a loop's connections that have client input waiting. */
#include "core/input_list.h"

void input_list_add(struct input_list *list, struct input *input)
{
    if (input->listed)
        return;
    input->listed = true;
    input->next = NULL;
    input->previous = list->last;
    if (list->last != NULL)
        list->last->next = input;
    else
        list->first = input;
    list->last = input;
    list->count++;
}

void input_list_remove(struct input_list *list, struct input *input)
{
    if (!input->listed)
        return;
    input->listed = false;
    if (input->held) {
        input->held = false;
        *input->holder = NULL;
        return;
    }
    if (input->previous != NULL)
        input->previous->next = input->next;
    else
        list->first = input->next;
    if (input->next != NULL)
        input->next->previous = input->previous;
    else
        list->last = input->previous;
    list->count--;
}

void input_list_hold(struct input *input, struct input **holder)
{
    input->listed = true;
    input->held = true;
    input->holder = holder;
    *holder = input;
}

bool input_list_release(struct input_list *list, struct input **holder)
{
    struct input *input = *holder;

    if (input == NULL)
        return false;
    input_list_remove(list, input);
    input_list_add(list, input);
    return true;
}
