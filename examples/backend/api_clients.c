/* api_clients.c: adding, changing and listing clients.
 * How they are kept is in store_clients.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"

enum { NAME_MAX_CHARACTERS = 200, EMAIL_MAX_CHARACTERS = 254, PHONE_MAX_CHARACTERS = 40 };

/* One "@" between two parts without blanks, with a dot in the second: enough to catch a typing
 * error. Only mail can prove that the address exists. */
static bool is_plausible_email(const char *email)
{
    const char *at = strchr(email, '@');
    const char *dot;

    if (at == NULL || at == email || at - email > 64 || strchr(at + 1, '@') != NULL ||
        strpbrk(email, " ,;<>()\"\\") != NULL)
        return false;
    dot = strrchr(at, '.');
    return dot != NULL && dot > at + 1 && dot[1] != '\0' && at[1] != '.' &&
           strstr(at, "..") == NULL;
}

static bool is_plausible_phone(const char *phone)
{
    return phone[strspn(phone, "0123456789 +-()./x")] == '\0' &&
           strpbrk(phone, "0123456789") != NULL;
}

static bool read_client(const cJSON *body, struct client_draft *draft,
                        struct field_problem *problem)
{
    struct field_source source = {body, "", problem};

    draft->phone = NULL;
    if (!field_text(&source, "name", NAME_MAX_CHARACTERS, FIELD_LINE, &draft->name) ||
        !field_text(&source, "email", EMAIL_MAX_CHARACTERS, FIELD_LINE, &draft->email))
        return false;
    if (!is_plausible_email(draft->email))
        return field_fail(&source, "email", "must be an e-mail address");
    if (!field_is_given(&source, "phone"))
        return true;
    if (!field_text(&source, "phone", PHONE_MAX_CHARACTERS, FIELD_LINE, &draft->phone))
        return false;
    return is_plausible_phone(draft->phone) ||
           field_fail(&source, "phone", "must be a telephone number");
}

/* Creates a client if *id is 0, else updates it. *id is its id afterwards. */
static enum store_result write_client(struct app *app, const struct client_draft *draft,
                                      int64_t *id, cJSON **client)
{
    const char *type = *id == 0 ? "client_created" : "client_updated";
    struct store *store = app->store;
    enum store_result result = store_begin(store, STORE_WRITE);

    if (result != STORE_OK)
        return result;
    result = *id == 0 ? store_client_create(store, draft, id)
                      : store_client_update(store, *id, draft);
    if (result == STORE_OK)
        result = store_client_get(store, *id, client);
    if (result == STORE_OK)
        result = outbox_add(&app->outbox, type, NULL, *client);
    return api_finish(store, result, &app->outbox);
}

static void put_client(struct api_call *call, int64_t id)
{
    bool is_new = id == 0;
    cJSON *body = api_parse_body(call);
    cJSON *client = NULL;
    struct field_problem problem = {0};
    struct client_draft draft;
    enum store_result result;

    if (body == NULL)
        return;
    if (!read_client(body, &draft, &problem)) {
        api_answer_problem(call, &problem);
        cJSON_Delete(body);
        return;
    }
    result = write_client(call->app, &draft, &id, &client);
    if (result == STORE_OK)
        http_response_set_json(call->response, is_new ? HTTP_STATUS_CREATED : HTTP_STATUS_OK,
                               client);
    else
        api_answer_store_error(call, result);
    cJSON_Delete(client);
    cJSON_Delete(body);
}

void api_create_client(struct api_call *call)
{
    put_client(call, 0);
}

void api_update_client(struct api_call *call)
{
    int64_t id;

    if (api_parse_id(call, &id))
        put_client(call, id);
}

void api_list_clients(struct api_call *call)
{
    struct store *reader;
    enum store_result result;
    cJSON *answer;
    cJSON *clients = NULL;
    bool has_more = false;
    int64_t limit;
    int64_t after;

    if (!api_query_number(call, "limit", 1, API_MOST_CLIENTS, API_MOST_CLIENTS, &limit) ||
        !api_query_number(call, "after", 0, INT64_MAX, 0, &after))
        return;
    result = store_begin_read(call->app->store, &reader);
    if (result == STORE_OK) {
        result = store_client_list(reader, limit, after, &clients, &has_more);
        store_end(reader);
    }
    if (result != STORE_OK) {
        api_answer_store_error(call, result);
        return;
    }
    answer = api_list_answer("clients", clients, has_more ? "next_after" : NULL, "id");
    http_response_set_json(call->response, HTTP_STATUS_OK, answer);
    cJSON_Delete(answer);
}
