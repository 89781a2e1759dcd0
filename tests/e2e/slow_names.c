/* slow_names.c: preloaded, a name server for redis.test that does not answer while the file
 * $SLOW_NAMES is there. Every other name is looked up as usual. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_EVERY_US = 10000 };

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");

    memcpy(&next, &found, sizeof next);
    if (host == NULL || strcmp(host, "redis.test") != 0)
        return next(host, service, hints, list);
    if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0)
        return EAI_NONAME;
    while (access(getenv("SLOW_NAMES"), F_OK) == 0)
        usleep(LOOK_EVERY_US);
    return next("127.0.0.1", service, hints, list);
}
