/* session_loop.c: finds the loop that has the session of a request, before the request is made on
 * any loop; counts the sessions of a loop that still wait for their clients. */
#include <string.h>

#include <ws_manager/http.h>

#include "base/http_query.h"
#include "transport/engineio/sid.h"
#include "transport/shared/shared_part.h"

/* Longer than any id of a session. */
enum { VALUE_SIZE = 80 };

/* Reads the loop from the id of an event stream's session: the name of its connection, a dot and a
 * secret. */
static bool read_stream(const char *session, const ws_manager *manager, uint32_t *loop)
{
    const char *dot = strrchr(session, '.');
    char name[CONNECTION_NAME_SIZE];
    char process[EPOCH_SIZE];
    ws_conn_id id;

    if (dot == NULL || (size_t)(dot - session) >= sizeof name)
        return false;
    memcpy(name, session, (size_t)(dot - session));
    name[dot - session] = '\0';
    if (!connection_name_read(name, process, &id) || strcmp(process, manager->process) != 0)
        return false;
    *loop = conn_id_loop(id);
    return true;
}

/* False, too, for a value with a NUL in it. */
static bool read_value(const char *query, const char *name, char value[VALUE_SIZE])
{
    ptrdiff_t length = http_query_next(&query, name, value, VALUE_SIZE);

    return length > 0 && strlen(value) == (size_t)length;
}

static bool read_query(const char *query, const ws_manager *manager, uint32_t *loop)
{
    char value[VALUE_SIZE];

    if (read_value(query, "sid", value))
        return sid_read(value, manager, loop, NULL);
    return read_value(query, "session", value) && read_stream(value, manager, loop);
}

ws_loop *ws_manager_session_loop(ws_manager *manager, const char *target)
{
    const char *query = target != NULL ? strchr(target, '?') : NULL;
    ws_loop *found = NULL;
    uint32_t loop;

    if (manager == NULL || query == NULL || !read_query(query + 1, manager, &loop))
        return NULL;
    manager_lock(manager);
    found = manager->loops[loop];
    manager_unlock(manager);
    return found;
}

uint32_t ws_loop_unfetched_sessions(ws_loop *loop)
{
    const struct shared_part *part = loop != NULL ? shared_part_of(loop) : NULL;

    return part != NULL ? part->n_unfetched : 0;
}
