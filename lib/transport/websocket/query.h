/* query.h: reads one parameter from the query of a request target. */
#ifndef WS_TRANSPORT_WEBSOCKET_QUERY_H
#define WS_TRANSPORT_WEBSOCKET_QUERY_H

#include <stddef.h>

enum { QUERY_ABSENT = -1, QUERY_BAD_ENCODING = -2 };

/* Decodes the first parameter of that name into `to`, which has room for strlen(query) + 1 bytes;
 * '+' is a space, as browsers write it. Returns its length (it may hold NUL), QUERY_ABSENT or
 * QUERY_BAD_ENCODING. */
ptrdiff_t query_parameter(const char *query, const char *name, char *to);

#endif
