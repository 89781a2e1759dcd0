/* addresses.h: lists of addresses as getaddrinfo() makes them, without asking anybody. */
#ifndef REDIS_TESTS_ADDRESSES_H
#define REDIS_TESTS_ADDRESSES_H

#include <netdb.h>

/* Of these texts, up to the NULL; for the caller to free by freeaddrinfo() of each in turn, which
 * address_list_free() does. */
struct addrinfo *address_list(const char *const *texts);
void address_list_free(struct addrinfo *list);

#endif
