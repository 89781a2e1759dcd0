/* text.h: looking into a message that a client has received. */
#ifndef FUZZ_MODEL_TEXT_H
#define FUZZ_MODEL_TEXT_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool text_begins(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static inline bool text_has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* The number behind a part of the text, or -1. */
static inline int text_number(const char *text, const char *part)
{
    const char *found = strstr(text, part);

    return found != NULL ? atoi(found + strlen(part)) : -1;
}

#endif
