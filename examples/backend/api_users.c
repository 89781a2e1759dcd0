/* api_users.c: ends the connections of a user, on every process. */
#include <string.h>

#include <ws_manager/close_code.h>
#include <ws_manager/types.h>
#include <ws_manager/user_commands.h>

#include "api.h"

enum { REASON_MAX_CHARACTERS = 123, CODE_MIN = 1000, CODE_MAX = 4999 };

struct end {
    int64_t code;
    const char *reason; /* NULL: none */
};

static bool read_end(const cJSON *body, struct end *end, struct field_problem *problem)
{
    struct field_source source = {body, "", problem};

    *end = (struct end){.code = WS_CLOSE_POLICY_VIOLATION};
    if (field_is_given(&source, "code") &&
        !field_integer(&source, "code", CODE_MIN, CODE_MAX, &end->code))
        return false;
    return !field_is_given(&source, "reason") ||
           field_text(&source, "reason", REASON_MAX_CHARACTERS, FIELD_LINE, &end->reason);
}

static void answer_accepted(struct api_call *call)
{
    cJSON *answer = cJSON_CreateObject();
    bool complete = cJSON_AddStringToObject(answer, "status", "accepted") != NULL;

    http_response_set_json(call->response, HTTP_STATUS_ACCEPTED, complete ? answer : NULL);
    cJSON_Delete(answer);
}

static void answer_result(struct api_call *call, int result)
{
    if (result == WS_OK) {
        answer_accepted(call);
    } else if (result == WS_ERR_INVALID) {
        http_response_set_error(
            call->response, HTTP_STATUS_BAD_REQUEST, "invalid_field",
            "code must be a close code that may be sent, and reason at most 123 bytes long",
            NULL);
    } else {
        http_response_set_status_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                       "the queue of events is full; try again");
        http_response_add_field(call->response, "Retry-After", "1");
    }
}

void api_disconnect_user(struct api_call *call)
{
    struct field_problem problem = {0};
    struct end end;
    cJSON *body;

    if (!ws_name_is_valid(call->parameter)) {
        http_response_set_status_error(call->response, HTTP_STATUS_NOT_FOUND,
                                       "this is not a valid user name");
        return;
    }
    body = api_parse_body(call);
    if (body == NULL)
        return;
    if (read_end(body, &end, &problem))
        answer_result(call,
                      ws_manager_disconnect_user(call->app->realtime.manager, call->parameter,
                                                 (uint16_t)end.code, end.reason));
    else
        api_answer_problem(call, &problem);
    cJSON_Delete(body);
}
