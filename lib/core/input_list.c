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
