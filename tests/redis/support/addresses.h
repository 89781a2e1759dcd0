/* addresses.h: lists of addresses like those of getaddrinfo(), without name resolution. */
#ifndef REDIS_TESTS_ADDRESSES_H
#define REDIS_TESTS_ADDRESSES_H

#include <netdb.h>

/* A list of these texts, up to the NULL; the caller frees it with freeaddrinfo() for each entry in
 * turn, which address_list_free() does. */
struct addrinfo *address_list(const char *const *texts);
void address_list_free(struct addrinfo *list);

#endif
