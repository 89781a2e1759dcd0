/* default_manager_test.c: the process's default manager: the first one, or created on first
 * use; set, replaced, freed; emit_*() use it. */
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

/* As an application declares and defines the functions of its own type. */
int emit_invoice_paid(const char *json);
int ws_manager_emit_invoice_paid(ws_manager *manager, const char *json, size_t length);

WS_DEFINE_EMIT(invoice_paid)

START_TEST(the_default_is_created_once_on_first_use)
{
    ws_manager *manager = ws_manager_default();

    ck_assert_ptr_nonnull(manager);
    ck_assert_ptr_eq(ws_manager_default(), manager);
    ck_assert_uint_eq(ws_manager_connection_count(manager), 0);
    /* The library frees the manager that it created when it is replaced; else this leaks. */
    ws_manager_set_default(NULL);
    ck_assert_ptr_nonnull(ws_manager_default());
    ws_manager_set_default(NULL);
}
END_TEST

START_TEST(setting_the_same_default_again_changes_nothing)
{
    ws_manager *manager = ws_manager_default();

    ws_manager_set_default(manager);
    ck_assert_ptr_eq(ws_manager_default(), manager);
    ck_assert_uint_eq(ws_manager_connection_count(manager), 0);
    ws_manager_set_default(NULL);
}
END_TEST

START_TEST(the_first_manager_becomes_the_default)
{
    struct host first, second;

    host_open(&first);
    host_open(&second);
    ck_assert_ptr_eq(ws_manager_default(), first.manager);
    host_close(&first);
    ck_assert_ptr_ne(ws_manager_default(), second.manager);
    ws_manager_set_default(NULL);
    host_close(&second);
}
END_TEST

static void count_warnings(int level, const char *text, void *user_data)
{
    int *n_warnings = user_data;

    if (level == WS_LOG_WARN && strstr(text, "before the first ws_manager_new()") != NULL)
        ++*n_warnings;
}

/* The application learns that events were emitted too early, and hears the later ones. */
START_TEST(an_unused_default_manager_is_replaced)
{
    int n_warnings = 0;
    ws_manager_options options;
    ws_manager *first, *second;

    ck_assert_int_eq(emit_stock_low("{}"), WS_OK);
    ws_manager_options_init(&options);
    options.log = count_warnings;
    options.user_data = &n_warnings;
    ck_assert_int_eq(ws_manager_new(&options, &first), WS_OK);
    ck_assert_int_eq(ws_manager_new(&options, &second), WS_OK);
    ck_assert_int_eq(n_warnings, 1);
    ck_assert_ptr_eq(ws_manager_default(), first);
    ws_manager_free(first);
    ws_manager_free(second);
}
END_TEST

/* It may have loops by now. */
START_TEST(a_manager_that_the_application_knows_stays)
{
    ws_manager *manager = ws_manager_default(), *other;

    ck_assert_int_eq(ws_manager_new(NULL, &other), WS_OK);
    ck_assert_ptr_eq(ws_manager_default(), manager);
    ws_manager_set_default(NULL);
    ws_manager_free(other);
}
END_TEST

START_TEST(the_application_s_manager_stays_its_own)
{
    struct host host;

    host_open(&host);
    ws_manager_set_default(NULL);
    ck_assert_ptr_nonnull(ws_manager_default());
    ws_manager_set_default(host.manager);
    ck_assert_ptr_eq(ws_manager_default(), host.manager);
    ws_manager_set_default(NULL);
    ck_assert_ptr_ne(ws_manager_default(), host.manager);
    ws_manager_set_default(NULL);
    host_close(&host);
}
END_TEST

START_TEST(freeing_the_default_leaves_none)
{
    struct host host;
    ws_manager *other;

    host_open(&host);
    ws_manager_set_default(host.manager);
    host_close(&host);
    other = ws_manager_default();
    ck_assert_ptr_nonnull(other);
    ws_manager_free(other);
    other = ws_manager_default();
    ck_assert_ptr_nonnull(other);
    ck_assert_int_eq(emit_stock_low("{}"), WS_OK);
    ws_manager_set_default(NULL);
}
END_TEST

START_TEST(freeing_another_manager_keeps_the_default)
{
    struct host host;
    ws_manager *manager = ws_manager_default();

    host_open(&host);
    host_close(&host);
    ck_assert_ptr_eq(ws_manager_default(), manager);
    ws_manager_set_default(NULL);
}
END_TEST

/* All ten functions, each with an event of its own type. */
START_TEST(emit_goes_to_the_default_manager)
{
    static int (*const emitters[])(const char *json) = {
        emit_order_created,  emit_order_updated,  emit_order_status_changed,
        emit_client_created, emit_client_updated, emit_inventory_updated,
        emit_stock_low,      emit_user_connected, emit_user_disconnected,
    };
    static const char *const types[] = {
        "order_created",  "order_updated",  "order_status_changed",
        "client_created", "client_updated", "inventory_updated",
        "stock_low",      "user_connected", "user_disconnected",
    };
    struct host host;
    struct client ann;

    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    ws_manager_set_default(host.manager);
    for (size_t i = 0; i < sizeof emitters / sizeof *emitters; i++) {
        const char *message;

        ck_assert_int_eq(emitters[i](NULL), WS_ERR_INVALID);
        ck_assert_int_eq(emitters[i]("{]"), WS_ERR_BAD_JSON);
        ck_assert_int_eq(emitters[i]("{\"a\":1}"), WS_OK);
        host_run(&host);
        message = client_next(&ann);
        ck_assert_ptr_nonnull(strstr(message, types[i]));
        ck_assert_ptr_nonnull(strstr(message, "\"data\":{\"a\":1}"));
    }
    ck_assert_int_eq(emit_notification("hello", NULL, "info"), WS_OK);
    ck_assert_int_eq(emit_notification("hello", "bob", "info"), WS_OK);
    host_run(&host);
    client_expect(&ann,
                  "{\"id\":\"E.10\",\"type\":\"notification\",\"data\":{\"message\":\"hello\","
                  "\"severity\":\"info\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":null}",
                  NULL);
    ws_manager_set_default(NULL);
    host_close(&host);
    client_free(&ann);
}
END_TEST

START_TEST(an_application_s_own_type_has_its_functions)
{
    struct host host;
    struct client ann;

    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    ws_manager_set_default(host.manager);
    ck_assert_int_eq(emit_invoice_paid("1"), WS_ERR_UNKNOWN_TYPE);
    ck_assert_int_eq(ws_manager_register_event_type(host.manager, "invoice_paid"), WS_OK);
    ck_assert_int_eq(emit_invoice_paid(NULL), WS_ERR_INVALID);
    ck_assert_int_eq(emit_invoice_paid("{]"), WS_ERR_BAD_JSON);
    ck_assert_int_eq(emit_invoice_paid("1"), WS_OK);
    ck_assert_int_eq(ws_manager_emit_invoice_paid(host.manager, "2", 1), WS_OK);
    ck_assert_int_eq(ws_manager_route_event_type(host.manager, "invoice_paid", "staff"), WS_OK);
    ck_assert_int_eq(emit_invoice_paid("3"), WS_OK);
    host_run(&host);
    client_expect(&ann,
                  "{\"id\":\"E.1\",\"type\":\"invoice_paid\",\"data\":1,"
                  "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
                  "{\"id\":\"E.2\",\"type\":\"invoice_paid\",\"data\":2,"
                  "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
                  NULL);
    ws_manager_set_default(NULL);
    host_close(&host);
    client_free(&ann);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_default_is_created_once_on_first_use,
        setting_the_same_default_again_changes_nothing,
        the_first_manager_becomes_the_default,
        an_unused_default_manager_is_replaced,
        a_manager_that_the_application_knows_stays,
        the_application_s_manager_stays_its_own,
        freeing_the_default_leaves_none,
        freeing_another_manager_keeps_the_default,
        emit_goes_to_the_default_manager,
        an_application_s_own_type_has_its_functions,
        NULL,
    };

    return suite_run("default_manager", tests);
}
