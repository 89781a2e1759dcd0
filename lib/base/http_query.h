/* http_query.h: reads the parameters of a request's query, and percent-encoding.
 *
 * A query is read as browsers write it (URLSearchParams: application/x-www-form-urlencoded of the
 * URL standard): parameters are separated by '&', names and values are percent-encoded, '+' is a
 * space, and a parameter without '=' has an empty value.
 *
 * The example backend is built with this file too. */
#ifndef WS_BASE_HTTP_QUERY_H
#define WS_BASE_HTTP_QUERY_H

#include <stddef.h>

enum { HTTP_QUERY_ABSENT = -1, HTTP_QUERY_INVALID = -2 };

/* Finds the next parameter of that name in *query, decodes its value into `to`, which has room for
 * `size` > 0 bytes, and moves *query behind it. Returns the value's length without the NUL that
 * ends it (it may hold others), HTTP_QUERY_ABSENT, or HTTP_QUERY_INVALID: the percent-encoding is
 * wrong, or there is no room. A value needs no more room than the query. */
ptrdiff_t http_query_next(const char **query, const char *name, char *to, size_t size);

/* Decodes part of a path into `to` of `size` > 0 bytes. Unlike in a query, '+' stands for itself.
 * Returns the length without the NUL, or HTTP_QUERY_INVALID. */
ptrdiff_t http_path_decode(const char *path, size_t length, char *to, size_t size);

#endif
