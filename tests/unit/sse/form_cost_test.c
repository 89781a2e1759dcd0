/* form_cost_test.c: what making the form of a message costs a turn. Not here: what the form is
 * (form_test.c). */
#include <stdlib.h>

#include <check.h>

#include "core/costs.h"
#include "core/loop_state.h"
#include "transport/sse/form.h"

Suite *sse_suite(void); /* host.h has the core's names */

START_TEST(making_a_form_is_charged_once)
{
    enum { LENGTH = 64000 };
    const ws_endpoint_options options = {.deflate_min_bytes = 2 * LENGTH};
    unsigned flags = _i == 0 ? FORM_CHUNKED : FORM_GZIP;
    char *text = calloc(1, LENGTH);
    ws_manager *manager;
    ws_loop *loop;
    ws_message *message;
    uint32_t charged;

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    message = message_new_copy(&manager->memory, text, LENGTH, true);
    ck_assert_ptr_nonnull(message);
    ck_assert_ptr_nonnull(form_of_message(loop, message, flags, &options));
    charged = loop_take_preparing(loop);
    ck_assert_uint_ge(charged, LENGTH / INPUT_BYTES_PER_UNIT);
    ck_assert_ptr_nonnull(form_of_message(loop, message, flags, &options));
    ck_assert_uint_eq(loop_take_preparing(loop), 0);
    ws_message_unref(message);
    ws_loop_free(loop);
    ws_manager_free(manager);
    free(text);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-form-cost");
    TCase *tests = tcase_create("cost");

    tcase_add_loop_test(tests, making_a_form_is_charged_once, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
