/* kept_forms_test.c: the forms that are made of kept events for clients (compressed, or of another
 * transport) count for the limit of all rooms. Not here: other limits (last_values_test.c). */
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

enum { N = 10, FORM = 1000, ALL = 12000 };

static struct host host;
static struct client ann;

static void emit(void)
{
    ck_assert_int_eq(ws_manager_emit_to_room(host.manager, "r", "order_updated", "1", 1),
                     WS_OK);
}

static void begin(void)
{
    ws_last_values_options options;

    host_init(&host);
    host.options.last_values_bytes = ALL;
    host_start(&host);
    ws_last_values_options_init(&options);
    options.by_key = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_OK);
    client_open(&host, &ann, "ann", NULL);
    for (int i = 0; i < N; i++)
        emit();
    host_run(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static const struct last_values *values(void)
{
    return &host.manager->last_values;
}

/* As a transport does when it delivers the values. */
static void make_forms(void)
{
    for (struct kept_value *value = values()->first; value != NULL;
         value = value->newer_of_all) {
        struct frames *form = frames_new(&host.manager->memory, FORM);

        ck_assert_ptr_nonnull(form);
        frames_add(form, FORM);
        ck_assert_ptr_nonnull(
            frames_add_variant(&value->message->frames, FORM_COMPRESSED, form));
    }
}

static void ask(void)
{
    client_count(&ann);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
    host_run(&host);
}

START_TEST(forms_are_counted_when_values_are_read)
{
    begin();
    ck_assert_uint_eq(values()->count, N);
    ck_assert_uint_lt(values()->bytes, ALL / 2);
    make_forms();
    ask();
    ck_assert_uint_eq(client_count(&ann), 1 + N);
    ck_assert_uint_le(values()->bytes, ALL);
    ck_assert_uint_gt(values()->count, 0);
    ck_assert_uint_lt(values()->count, N);
    ck_assert_uint_gt(values()->bytes, values()->count * FORM);
    end();
}
END_TEST

START_TEST(forms_are_counted_as_events_are_kept)
{
    begin();
    make_forms();
    for (int i = 0; i < 2 * N; i++)
        emit();
    host_run(&host);
    /* Of all that have a form, enough were dropped. */
    ck_assert_uint_le(values()->bytes, ALL);
    ck_assert_uint_lt(values()->count, 3 * N);
    end();
}
END_TEST

/* The sum is that of the parts, whatever becomes of them. */
START_TEST(nothing_is_counted_when_nothing_is_left)
{
    begin();
    make_forms();
    ask();
    emit();
    ck_assert_int_eq(ws_manager_emit_to_room(host.manager, "r", "order_updated", "null", 4),
                     WS_OK);
    host_run(&host);
    ck_assert_uint_eq(values()->count, 0);
    ck_assert_uint_eq(values()->bytes, 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        forms_are_counted_when_values_are_read,
        forms_are_counted_as_events_are_kept,
        nothing_is_counted_when_nothing_is_left,
        NULL,
    };

    return suite_run("kept forms", tests);
}
