/* addresses.c: a list of a host's addresses as text. */
#include "cluster/redis/addresses.h"

#include <string.h>
#include <sys/socket.h>

/* The index of an address, or `count` if it is not in the list. */
static size_t find(const struct addresses *addresses, const char *text)
{
    size_t at = 0;

    while (at < addresses->count && strcmp(addresses->text[at], text) != 0)
        at++;
    return at;
}

static void add(struct addresses *addresses, const struct addrinfo *found)
{
    char *text = addresses->text[addresses->count];
    char added[ADDRESS_SIZE];

    if ((found->ai_family != AF_INET && found->ai_family != AF_INET6) ||
        getnameinfo(found->ai_addr, found->ai_addrlen, added, sizeof added, NULL, 0,
                    NI_NUMERICHOST) != 0 ||
        find(addresses, added) < addresses->count)
        return;
    memcpy(text, added, sizeof added);
    addresses->count++;
}

void addresses_take(struct addresses *addresses, const struct addrinfo *list)
{
    *addresses = (struct addresses){0};
    for (; list != NULL && addresses->count < ADDRESSES_MAX; list = list->ai_next)
        add(addresses, list);
}

bool addresses_take_literal(struct addresses *addresses, const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list;

    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return false;
    addresses_take(addresses, list);
    freeaddrinfo(list);
    return addresses->count > 0;
}

void addresses_prefer(struct addresses *addresses, const char *text)
{
    size_t at = find(addresses, text);
    char preferred[ADDRESS_SIZE];

    if (at == addresses->count)
        return;
    memcpy(preferred, addresses->text[at], sizeof preferred);
    memmove(addresses->text[1], addresses->text[0], at * sizeof preferred);
    memcpy(addresses->text[0], preferred, sizeof preferred);
}
