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
        return "larger than a limit allows";
    case WS_ERR_NOT_FOUND:
        return "not found";
    case WS_ERR_ALREADY:
        return "done already";
    case WS_ERR_NOT_MEMBER:
        return "not a member of the room";
    case WS_ERR_FORBIDDEN:
        return "refused by the application";
    case WS_ERR_TOO_MANY_ROOMS:
        return "a limit of rooms is reached";
    case WS_ERR_LIMIT:
        return "a limit is reached";
    case WS_ERR_BACKPRESSURE:
        return "a queue is full";
    case WS_ERR_DROPPED:
        return "message dropped";
    case WS_ERR_DRAINING:
        return "no new connections are accepted";
    case WS_ERR_CLOSED:
        return "ended or being freed";
    case WS_ERR_FORKED:
        return "belongs to the parent process";
    case WS_ERR_TIMEOUT:
        return "no answer in time";
    case WS_ERR_FAILED:
        return "failed";
    case WS_ERR_MISUSE:
        return "not allowed on this thread or in this place";
    default:
        return "unknown error";
    }
}
