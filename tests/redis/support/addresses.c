/* addresses.c: lists of addresses like those of getaddrinfo(). */
#include "redis/support/addresses.h"

#include <stddef.h>
#include <sys/socket.h>

#include <check.h>

struct addrinfo *address_list(const char *const *texts)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    struct addrinfo **end = &list;

    for (; *texts != NULL; texts++) {
        ck_assert_int_eq(getaddrinfo(*texts, NULL, &hints, end), 0);
        end = &(*end)->ai_next;
    }
    return list;
}

void address_list_free(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;

        list->ai_next = NULL;
        freeaddrinfo(list);
        list = next;
    }
}
