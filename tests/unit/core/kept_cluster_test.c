/* kept_cluster_test.c: what a client sends again to another process than before is carried out
 * once, and gets the same answer. Not here: limits (kept_cluster_limits_test.c), one process
 * (kept_answers_test.c), a real Redis (e2e/test_once.py). */
#include <stdio.h>
#include <string.h>

#include "core/kept_processes.h"
#include "support/suite.h"

/* --- what is known elsewhere ------------------------------------------------------------------ */

/* The first process does nothing more: it may have been killed. */
START_TEST(what_was_answered_gets_the_same_answer)
{
    begin();
    say(&first, BUY);
    client_expect(&first, BOUGHT(1), NULL);
    come_back(&b, &second, &first, "ann");
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    say(&second, BUY_MORE);
    client_expect(&second, BOUGHT_MORE(2), NULL);
    come_back(&c, &third, &second, "ann");
    say(&third, BUY_MORE);
    say(&third, BUY);
    client_expect(&third, BOUGHT_MORE(2), BOUGHT(1), NULL);
    ck_assert_int_eq(n_calls, 2);
    end();
}
END_TEST

/* Its second process carried out nothing for it; and its third is its first. */
START_TEST(a_client_may_pass_through_a_process)
{
    begin();
    say(&first, BUY);
    come_back(&b, &second, &first, "ann");
    come_back(&c, &third, &second, "ann");
    say(&third, BUY);
    client_expect(&third, BOUGHT(1), NULL);
    client_lose(&second);
    come_back(&a, &second, &third, "ann");
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    end();
}
END_TEST

/* Its connections to the second process end before that has learned of its past. */
START_TEST(a_client_may_pass_through_a_process_quickly)
{
    begin();
    say(&first, BUY);
    connect_from(&b, &second, &first, "ann");
    host_run(&b.host);
    connect_from(&c, &third, &second, "ann");
    host_run(&c.host);
    client_lose(&second);
    connect_from(&b, &second, &third, "ann");
    client_say(&second, BUY);
    client_lose(&third);
    host_run(&b.host);
    run(&b.host);
    client_count(&second);
    ck_assert_int_eq(n_calls, 1);
    come_back(&c, &third, &second, "bob");
    say(&third, BUY);
    client_expect(&third, BOUGHT(2), NULL);
    end();
}
END_TEST

/* Within a process it is known without the carrier, and elsewhere under the new name at once. */
START_TEST(a_client_may_come_back_to_a_process_first)
{
    begin();
    say(&first, BUY);
    come_back(&a, &second, &first, "ann");
    come_back(&b, &third, &second, "ann");
    say(&third, BUY);
    client_expect(&third, BOUGHT(1), NULL);
    end();
}
END_TEST

START_TEST(anything_else_is_carried_out)
{
    begin();
    say(&first, BUY);
    come_back(&b, &second, &first, "bob");
    say(&second, BUY);
    client_expect(&second, BOUGHT(2), NULL);
    come_back(&c, &third, &first, "ann");
    say(&third, "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":1},\"ref\":\"b\"}");
    client_expect(&third, BOUGHT_MORE(3), NULL);
    say(&third, "{\"type\":\"request\",\"method\":\"buy\",\"data\":{\"n\":3},\"ref\":\"a\"}");
    client_expect(&third, BOUGHT(4), NULL);
    end();
}
END_TEST

/* Who has no user, names no former connection, or sends nothing with a ref, costs nothing. */
START_TEST(others_cost_nothing)
{
    begin();
    memories.recall_result = WS_ERR_INVALID;
    come_back(&b, &second, &first, NULL);
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    client_free(&third);
    client_open(&b.host, &third, "third", "ann");
    say(&third, "{\"type\":\"request\",\"method\":\"buy\"}");
    ck_assert_int_eq(n_calls, 2);
    ck_assert_uint_eq(memories.n_remembers, 0);
    end();
}
END_TEST

/* Its name is no connection's. */
START_TEST(strange_names_are_not_asked_for)
{
    static const char *const names[] = {"", "nobody", "aaaabbbb22-", "-1", "aaaabbbb22-x"};

    begin();
    memories.recall_result = WS_ERR_INVALID;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ws_connect_options options;

        client_free(&second);
        second = (struct client){.host = &b.host, .name = "again"};
        client_options(&second, &options);
        options.user_id = "ann";
        options.former_connection_id = names[i];
        ck_assert_int_eq(ws_manager_connect(b.host.manager, b.host.loop, &options, &second.id),
                         WS_OK);
        run(&b.host);
        client_count(&second);
        say(&second, BUY);
        ck_assert_int_eq(n_calls, (int)i + 1);
        client_lose(&second);
    }
    end();
}
END_TEST

START_TEST(what_was_refused_may_be_tried_again)
{
    begin();
    say(&first, BUY);
    say(&first, NEVER);
    come_back(&b, &second, &first, "ann");
    say(&second, NEVER);
    ck_assert_int_eq(n_calls, 3);
    end();
}
END_TEST

/* Also if its answer was expected later, so that it was noted before. */
START_TEST(what_was_noted_and_refused_may_be_tried_again)
{
    begin();
    say(&first, LATER); /* from now on it is noted before */
    ck_assert_int_eq(ws_manager_answer(a.host.manager, deferred, "[1]", 3), WS_OK);
    run(&a.host);
    ck_assert(handlers_have(&a.host.manager->methods, "never"));
    handlers_find(&a.host.manager->methods, "never")->defers = true;
    say(&first, "{\"type\":\"request\",\"method\":\"never\",\"ref\":2}");
    come_back(&b, &second, &first, "ann");
    say(&second, "{\"type\":\"request\",\"method\":\"never\",\"ref\":2}");
    ck_assert_int_eq(n_calls, 3);
    end();
}
END_TEST

/* Also if its client is held, because a former connection is still there, and has nothing else. */
START_TEST(what_a_held_client_was_refused_may_be_tried_again)
{
    begin();
    come_back(&a, &second, &first, "ann");
    handlers_find(&a.host.manager->methods, "never")->defers = true;
    say(&second, NEVER);
    ck_assert(!has_note(&second));
    come_back(&b, &third, &second, "ann");
    say(&third, NEVER);
    ck_assert_int_eq(n_calls, 2);
    end();
}
END_TEST

/* --- what is not answered yet ----------------------------------------------------------------- */

START_TEST(a_later_answer_comes_from_the_first_process)
{
    begin();
    say(&first, LATER);
    come_back(&b, &second, &first, "ann");
    memories.n_remembers = 0;
    say(&second, LATER);
    pass(&b.host, 1000);
    client_expect(&second, NULL);
    ck_assert_uint_eq(memories.n_remembers, 0); /* nothing new was read */
    ck_assert_int_eq(ws_manager_answer(a.host.manager, deferred, "[1]", 3), WS_OK);
    run(&a.host);
    pass(&b.host, 1000);
    client_expect(&second, LATE, NULL);
    come_back(&c, &third, &second, "ann");
    say(&third, LATER);
    client_expect(&third, LATE, NULL);
    ck_assert_int_eq(n_calls, 1);
    end();
}
END_TEST

/* An answer after the end of the connection. */
START_TEST(an_answer_after_the_end_is_noted)
{
    begin();
    say(&first, LATER);
    client_lose(&first);
    ck_assert_int_eq(ws_manager_answer_error(a.host.manager, deferred, "sold_out", NULL),
                     WS_ERR_NOT_FOUND);
    come_back(&b, &second, &first, "ann");
    say(&second, LATER);
    client_expect(
        &second,
        "{\"type\":\"error\",\"ref\":1,\"data\":{\"code\":\"sold_out\",\"message\":\"\"}}",
        NULL);
    end();
}
END_TEST

/* It was killed: whether the message was carried out is open, and it isn't carried out again. */
START_TEST(the_first_process_never_answers)
{
    unsigned n_recalls;

    begin();
    say(&first, LATER);
    come_back(&b, &second, &first, "ann");
    say(&second, LATER);
    pass(&b.host, 31000);
    client_expect(&second, TOO_LATE, NULL);
    ck_assert_int_eq(n_calls, 1);
    n_recalls = memories.n_recalls;
    pass(&b.host, 3000);
    run(&b.host);
    ck_assert_uint_eq(memories.n_recalls, n_recalls); /* it is not asked for any more */
    come_back(&b, &third, &second, "ann");
    say(&third, LATER);
    client_expect(&third, NULL);
    pass(&b.host, 31000);
    client_expect(&third, TOO_LATE, NULL);
    ck_assert_int_eq(n_calls, 1);
    end();
}
END_TEST

/* To a third process, back to the first one, or to another connection of the second one; with a
 * message that the client has sent again in between, or not. */
START_TEST(a_later_answer_follows_its_client)
{
    struct process *const nexts[] = {&c, &a, &b};

    for (size_t i = 0; i < 2 * sizeof nexts / sizeof *nexts; i++) {
        struct process *next = nexts[i / 2];
        unsigned n_recalls;

        begin();
        say(&first, LATER);
        come_back(&b, &second, &first, "ann");
        if (i % 2 == 0)
            say(&second, LATER);
        client_lose(&first);
        client_lose(&second);
        come_back(next, &third, &second, "ann");
        say(&third, LATER);
        pass(&next->host, 1000);
        client_expect(&third, NULL);
        ws_manager_answer(a.host.manager, deferred, "[1]", 3);
        run(&a.host);
        pass(&next->host, 1000);
        client_expect(&third, LATE, NULL);
        n_recalls = memories.n_recalls;
        pass(&next->host, 2000);
        ck_assert_uint_eq(memories.n_recalls, n_recalls); /* nothing is awaited any more */
        ck_assert_int_eq(n_calls, 1);
        end();
    }
}
END_TEST

/* Answers that two processes are to give arrive in any order, at a third one. */
START_TEST(later_answers_come_from_several_processes)
{
    ws_answer of_first;

    for (int order = 0; order < 2; order++) {
        begin();
        say(&first, LATER);
        of_first = deferred;
        come_back(&b, &second, &first, "ann");
        say(&second, LATER_TOO);
        client_lose(&second);
        come_back(&c, &third, &second, "ann");
        say(&third, LATER);
        say(&third, LATER_TOO);
        for (int i = 0; i < 2; i++) {
            bool is_first = i == order;
            struct process *process = is_first ? &a : &b;

            ws_manager_answer(process->host.manager, is_first ? of_first : deferred, "[1]", 3);
            run(&process->host);
            pass(&c.host, 1500);
            client_expect(&third, is_first ? LATE : LATE_TOO, NULL);
        }
        ck_assert_int_eq(n_calls, 2);
        end();
    }
}
END_TEST

START_TEST(it_is_noted_before_it_is_carried_out)
{
    begin();
    say(&first, LATER); /* that the method answers later is not known yet */
    ck_assert(!was_noted && has_note(&first));
    client_lose(&first);
    client_free(&first);
    client_open(&a.host, &first, "first", "ann");
    say(&first, LATER);
    ck_assert(was_noted);
    end();
}
END_TEST

/* --- while the carrier does not answer ------------------------------------------------------- */

static void begin_away(void)
{
    begin();
    say(&first, BUY);
    is_away = true;
    come_back(&b, &second, &first, "ann");
}

START_TEST(messages_wait_for_the_carrier)
{
    begin_away();
    say(&second, PING); /* has no ref */
    ck_assert_uint_eq(client_count(&second), 1);
    say(&second, BUY);
    say(&second, PING);
    say(&second, BUY_MORE);
    pass(&b.host, 4000);
    client_expect(&second, NULL);
    is_away = false;
    run(&b.host);
    ck_assert_str_eq(client_next(&second), BOUGHT(1));
    ck_assert_ptr_nonnull(strstr(client_next(&second), "pong"));
    client_expect(&second, BOUGHT_MORE(2), NULL);
    end();
}
END_TEST

START_TEST(they_wait_for_a_limited_time)
{
    begin_away();
    pass(&b.host, 10000);
    say(&second, BUY);
    say(&second, BUY_MORE);
    pass(&b.host, 4900);
    client_expect(&second, NULL);
    pass(&b.host, 200);
    client_expect(&second, TIMEOUT("\"a\""), TIMEOUT("\"b\""), NULL);
    pass(&b.host, 4000);
    say(&second, BUY_MORE);
    client_expect(&second, TIMEOUT("\"b\""), NULL);
    pass(&b.host, 1000);
    say(&second, BUY_MORE);
    client_expect(&second, BOUGHT_MORE(2), NULL);
    /* The answer is not too late for what is sent again only now. */
    is_away = false;
    run(&b.host);
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    end();
}
END_TEST

/* Of those that wait, only what is smaller than an equal share may exceed the limit. */
START_TEST(the_bytes_that_wait_are_limited)
{
    enum { CLIENTS = 40, LARGE = 1000000 };
    static struct client crowd[CLIENTS];
    static char large[LARGE];
    unsigned n_refused = 0;

    snprintf(large, sizeof large, "{\"type\":\"request\",\"method\":\"buy\",\"data\":\"");
    memset(large + strlen(large), 'x', sizeof large - 50 - strlen(large));
    strcpy(large + sizeof large - 50, "\",\"ref\":\"c\"}");
    begin_away();
    for (int i = 0; i < CLIENTS; i++) {
        crowd[i] = (struct client){0};
        come_back(&b, &crowd[i], &first, "ann");
        say(&crowd[i], large);
        n_refused += client_count(&crowd[i]) > 0;
    }
    ck_assert_uint_eq(n_refused, CLIENTS - 16);
    say(&second, BUY);
    client_expect(&second, NULL);
    for (int i = 0; i < CLIENTS; i++)
        client_lose(&crowd[i]);
    run(&b.host);
    come_back(&b, &third, &first, "ann");
    say(&third, large);
    client_expect(&third, NULL);
    is_away = false;
    run(&b.host);
    for (int i = 0; i < CLIENTS; i++)
        client_free(&crowd[i]);
    end();
}
END_TEST

START_TEST(a_connection_may_end_while_a_message_waits)
{
    begin_away();
    say(&second, BUY);
    client_lose(&second);
    is_away = false;
    run(&b.host);
    ck_assert_int_eq(n_calls, 1);
    /* and before it has begun */
    connect_from(&b, &third, &first, "ann");
    client_lose(&third);
    run(&b.host);
    end();
}
END_TEST

START_TEST(a_carrier_that_takes_no_question)
{
    static const char busy[] =
        "{\"type\":\"error\",\"ref\":\"a\",\"data\":{\"code\":\"failed\","
        "\"message\":\"the server is busy; send it again later\"}}";

    begin();
    say(&first, BUY);
    memories.recall_result = WS_ERR_BACKPRESSURE;
    come_back(&b, &second, &first, "ann");
    say(&second, BUY);
    client_expect(&second, busy, NULL);
    memories.recall_result = WS_OK;
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    ck_assert_int_eq(n_calls, 1);
    end();
}
END_TEST

/* It is refused as if the carrier had not answered in time. */
START_TEST(a_carrier_that_has_no_answer)
{
    begin_away();
    say(&second, BUY);
    ck_assert_uint_eq(memories.n_questions, 1);
    memories.n_questions = 0;
    ck_assert_int_eq(
        ws_manager_cluster_recalled(b.host.manager, memories.questions[0].request, "", 0),
        WS_OK);
    run(&b.host);
    client_expect(&second, TIMEOUT("\"a\""), NULL);
    pass(&b.host, 5000);
    say(&second, BUY_MORE);
    client_expect(&second, BOUGHT_MORE(2), NULL);
    end();
}
END_TEST

/* The next note has what was not taken. */
START_TEST(a_carrier_that_takes_no_note)
{
    begin();
    memories.remember_result = WS_ERR_BACKPRESSURE;
    say(&first, BUY);
    client_expect(&first, BOUGHT(1), NULL);
    memories.remember_result = WS_OK;
    say(&first, BUY_MORE);
    come_back(&b, &second, &first, "ann");
    say(&second, BUY);
    client_expect(&second, BOUGHT(1), NULL);
    end();
}
END_TEST
/* --- memory ----------------------------------------------------------------------------------- */

/* Whatever fails, what was answered is not carried out again. */
START_TEST(any_allocation_may_fail_when_a_client_comes_back)
{
    static const char *const texts[] = {BUY, LATER, BUY_MORE};
    bool has_failed = true;

    for (long n = 0; has_failed; n++) {
        char name[CONNECTION_NAME_SIZE];
        ws_connect_options options;
        int result;

        begin();
        say(&first, BUY);
        say(&first, LATER);
        second = (struct client){.host = &b.host, .name = "again"};
        connection_name_write(a.host.manager->process, first.id, name);
        client_options(&second, &options);
        options.user_id = "ann";
        options.former_connection_id = name;
        test_memory_fail(&b.host.memory, n, false);
        result = ws_manager_connect(b.host.manager, b.host.loop, &options, &second.id);
        run(&b.host);
        for (size_t i = 0; i < sizeof texts / sizeof *texts && result == WS_OK; i++) {
            if (!second.gone)
                ws_manager_receive(b.host.manager, second.id, texts[i], strlen(texts[i]), 1);
            run(&b.host);
        }
        has_failed = b.host.memory.failed;
        test_memory_fail(&b.host.memory, NEVER_FAIL, false);
        pass(&b.host, 31000);
        ck_assert_int_le(n_calls, 3);
        ck_assert_int_ge(n_calls, has_failed ? 2 : 3);
        end();
    }
}
END_TEST

/* A note that could not be written is written with the next message. */
START_TEST(any_allocation_may_fail_when_a_note_is_written)
{
    static const char *const texts[] = {BUY, LATER};
    bool has_failed = true;

    for (long n = 0; has_failed; n++) {
        begin();
        test_memory_fail(&a.host.memory, n, false);
        for (size_t i = 0; i < sizeof texts / sizeof *texts && !first.gone; i++) {
            ws_manager_receive(a.host.manager, first.id, texts[i], strlen(texts[i]), 1);
            run(&a.host);
        }
        has_failed = a.host.memory.failed;
        test_memory_fail(&a.host.memory, NEVER_FAIL, false);
        end();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_was_answered_gets_the_same_answer,
        a_client_may_pass_through_a_process,
        a_client_may_pass_through_a_process_quickly,
        a_client_may_come_back_to_a_process_first,
        anything_else_is_carried_out,
        others_cost_nothing,
        strange_names_are_not_asked_for,
        what_was_refused_may_be_tried_again,
        what_was_noted_and_refused_may_be_tried_again,
        what_a_held_client_was_refused_may_be_tried_again,
        a_later_answer_comes_from_the_first_process,
        an_answer_after_the_end_is_noted,
        the_first_process_never_answers,
        a_later_answer_follows_its_client,
        later_answers_come_from_several_processes,
        it_is_noted_before_it_is_carried_out,
        messages_wait_for_the_carrier,
        they_wait_for_a_limited_time,
        the_bytes_that_wait_are_limited,
        a_connection_may_end_while_a_message_waits,
        a_carrier_that_takes_no_question,
        a_carrier_that_has_no_answer,
        a_carrier_that_takes_no_note,
        any_allocation_may_fail_when_a_client_comes_back,
        any_allocation_may_fail_when_a_note_is_written,
        NULL,
    };

    return suite_run("kept_cluster", tests);
}
