/* error_code.c: the codes of errors in the bodies of answers. */
#include "server/parts/error_code.h"

#include <http_parser.h>

const char *error_code_of(int status)
{
    switch (status) {
    case HTTP_STATUS_BAD_REQUEST:
        return "bad_request";
    case HTTP_STATUS_UNAUTHORIZED:
        return "unauthorized";
    case HTTP_STATUS_FORBIDDEN:
        return "forbidden";
    case HTTP_STATUS_NOT_FOUND:
        return "not_found";
    case HTTP_STATUS_METHOD_NOT_ALLOWED:
        return "method_not_allowed";
    case HTTP_STATUS_PAYLOAD_TOO_LARGE:
        return "payload_too_large";
    case HTTP_STATUS_EXPECTATION_FAILED:
        return "expectation_failed";
    case HTTP_STATUS_TOO_MANY_REQUESTS:
        return "too_many_connections";
    case HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return "head_too_large";
    case HTTP_STATUS_NOT_IMPLEMENTED:
        return "not_implemented";
    case HTTP_STATUS_SERVICE_UNAVAILABLE:
        return "unavailable";
    case HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED:
        return "version_not_supported";
    default:
        return "internal_error";
    }
}
