/* error.c: the texts of the result codes. */
#include <ws_manager/error.h>

const char *ws_strerror(int error)
{
    switch (error) {
    case WS_DEFERRED:
        return "answered later";
    case WS_OK:
        return "success";
    case WS_ERR_INVALID:
        return "invalid argument";
    case WS_ERR_NO_MEMORY:
        return "out of memory";
    case WS_ERR_SYSTEM:
        return "the system refused a resource";
    case WS_ERR_BAD_JSON:
        return "not valid JSON";
    case WS_ERR_UNKNOWN_TYPE:
        return "unknown event type";
    case WS_ERR_TOO_BIG:
        return "too big";
    case WS_ERR_NOT_FOUND:
        return "no such connection";
    case WS_ERR_ALREADY:
        return "already done";
    case WS_ERR_NOT_MEMBER:
        return "not a member of the room";
    case WS_ERR_FORBIDDEN:
        return "forbidden";
    case WS_ERR_TOO_MANY_ROOMS:
        return "in too many rooms";
    case WS_ERR_LIMIT:
        return "limit reached";
    case WS_ERR_BACKPRESSURE:
        return "queue full";
    case WS_ERR_DROPPED:
        return "message dropped";
    case WS_ERR_DRAINING:
        return "draining";
    case WS_ERR_CLOSED:
        return "connection closed";
    case WS_ERR_FORKED:
        return "belongs to the parent process";
    case WS_ERR_TIMEOUT:
        return "no answer in time";
    case WS_ERR_FAILED:
        return "answered with an error";
    default:
        return "unknown error";
    }
}
