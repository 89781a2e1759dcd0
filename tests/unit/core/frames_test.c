/* frames_test.c: shared frames and their forms: which of them a message holds, and when the memory
 * is freed. Not here: the forms that the transports make. */
#include "core/events/frames.h"

#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

enum { KIND = FORM_SSE };

static struct test_memory memory;

static struct frames *make(const char *text, bool is_own)
{
    struct frames *frames = frames_new(&memory.allocator, strlen(text));

    ck_assert_ptr_nonnull(frames);
    memcpy(frames_end(frames), text, strlen(text));
    frames_add(frames, strlen(text));
    frames->is_own = is_own;
    return frames;
}

static struct frames *add(struct frames *frames, const char *text)
{
    struct frames_variant *variant =
        frames_add_variant(frames, KIND, make(text, frames->is_own));

    ck_assert_ptr_nonnull(variant);
    return variant->form;
}

static void check_text(const struct frames *frames, const char *text)
{
    ck_assert_uint_eq(frames->length, strlen(text));
    ck_assert_mem_eq(frames_bytes(frames), text, strlen(text));
}

/* As a delivery does it: the form is queued for the message's reference. */
START_TEST(a_held_form_keeps_its_holder)
{
    struct frames *frames;
    struct frames *form;

    test_memory_init(&memory);
    frames = make("text", false);
    form = add(frames, "data: text");
    ck_assert(form->is_held);
    frames_ref_n(frames, 1); /* for the queue */
    frames_unref(frames);    /* the sender's */
    check_text(form, "data: text");
    ck_assert_int_eq(memory.n_blocks, 3);
    frames_ref_n(form, 1);
    frames_unref(form);
    check_text(form, "data: text");
    frames_unref(form); /* written */
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

/* A compressed form in a queue does not keep the message, whose length the queue does not count. */
START_TEST(a_shorter_form_has_references_of_its_own)
{
    struct frames *frames;
    struct frames *form;

    test_memory_init(&memory);
    frames = make("a long text", false);
    form = add(frames, "short");
    ck_assert(!form->is_held);
    frames_ref_n(form, 1);
    frames_unref(frames);
    check_text(form, "short");
    ck_assert_int_eq(memory.n_blocks, 1);
    frames_unref(form);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(a_form_for_one_client_has_references_of_its_own)
{
    struct frames *frames;
    struct frames *form;

    test_memory_init(&memory);
    frames = make("text", true);
    form = add(frames, "data: text");
    ck_assert(!form->is_held);
    frames_ref_n(form, 1);
    frames_unref(frames);
    ck_assert_int_eq(memory.n_blocks, 1);
    frames_unref(form);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

/* As when two threads make it at once. */
START_TEST(of_two_forms_of_a_kind_the_first_stays)
{
    struct frames *frames;
    struct frames *form;

    test_memory_init(&memory);
    frames = make("text", false);
    form = add(frames, "data: text");
    ck_assert_ptr_eq(add(frames, "data: text"), form);
    ck_assert_int_eq(memory.n_blocks, 3);
    frames_unref(frames);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(a_form_is_freed_if_memory_runs_out)
{
    struct frames *frames;
    struct frames *form;

    test_memory_init(&memory);
    frames = make("text", false);
    form = make("data: text", false);
    test_memory_fail(&memory, 0, false);
    ck_assert_ptr_null(frames_add_variant(frames, KIND, form));
    ck_assert_int_eq(memory.n_blocks, 1);
    frames_unref(frames);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_held_form_keeps_its_holder,
        a_shorter_form_has_references_of_its_own,
        a_form_for_one_client_has_references_of_its_own,
        of_two_forms_of_a_kind_the_first_stays,
        a_form_is_freed_if_memory_runs_out,
        NULL,
    };

    return suite_run("frames", tests);
}
