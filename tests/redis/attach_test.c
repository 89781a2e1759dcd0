/* attach_test.c: the script by which a process attaches to the stream: when it begins another
 * epoch, so that all clients are notified of a gap, which former epochs it remembers, and where the
 * process begins to read. Not here: what a carrier does with the result (left_behind_test.c,
 * older_data_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "cluster/redis/scripts.h"
#include "redis/support/server.h"
#include "support/suite.h"

#define STATE "{wsmanager}:state"
#define EVENTS "{wsmanager}:events"

enum { MAX_FORMERS = 32 };

static struct server server;
static redisContext *context;
static redisReply *answer; /* to the last process */
static const char *left = "";

/* Stores events 1 to n, by one session, in epoch "old". */
static void begin(int n)
{
    server_start(&server, NULL);
    context = server_connect(&server);
    for (int i = 1; i <= n; i++)
        server_do(&server, "XADD " EVENTS " %d-7 event {}", i);
    server_do(&server, "HSET " STATE " epoch old position %d", n);
}

static void end(void)
{
    freeReplyObject(answer);
    answer = NULL;
    redisFree(context);
    server_end(&server);
}

/* Other processes store more events, up to n, in the current epoch. */
static void others_go_on(int first, int n)
{
    for (int i = first; i <= n; i++)
        server_do(&server, "XADD " EVENTS " %d-9 event {}", i);
    server_do(&server, "HSET " STATE " position %d", n);
}

/* Attaches a process that would begin epoch `made`, and knows these positions. */
static void attach(const char *made, const char *epoch, const char *newest, const char *read)
{
    freeReplyObject(answer);
    answer = redisCommand(context, "EVAL %s 2 " STATE " " EVENTS " %s %s %s %s %s",
                          script_attach, made, epoch, newest, read, left);
    ck_assert_ptr_nonnull(answer);
    ck_assert_msg(answer->type == REDIS_REPLY_ARRAY, "%s", answer->str);
    ck_assert_uint_eq(answer->elements, 5);
}

static void expect(const char *epoch, int position, const char *nonce, int start)
{
    ck_assert_str_eq(answer->element[0]->str, epoch);
    ck_assert_int_eq(answer->element[1]->integer, position);
    ck_assert_str_eq(answer->element[2]->str, nonce);
    ck_assert_int_eq(answer->element[3]->integer, start);
    ck_assert_str_eq(server_do(&server, "HGET " STATE " epoch"), epoch);
}

/* Whether the process may have had none of the events up to its beginning that are behind its
 * last one. */
static void expect_may_miss(int may_miss)
{
    ck_assert_int_eq(answer->element[4]->integer, may_miss);
}

static void expect_formers(const char *formers)
{
    ck_assert_str_eq(server_do(&server, "HGET " STATE " formers"), formers);
}

START_TEST(the_first_process)
{
    begin(0);
    server_do(&server, "DEL " STATE);
    attach("one", "", "0-", "0-");
    expect("one", 0, "", 0);
    expect_formers("");
    attach("two", "", "0-", "0-");
    expect("one", 0, "", 0);
    end();
}
END_TEST

START_TEST(a_process_that_knows_nothing)
{
    begin(10);
    attach("one", "", "0-", "0-");
    expect("old", 10, "7", 10);
    attach("one", "another", "0-", "0-");
    expect("old", 10, "7", 10);
    end();
}
END_TEST

START_TEST(the_same_epoch)
{
    begin(10);
    attach("one", "old", "10-7", "8-7");
    expect("old", 10, "7", 8);
    attach("one", "old", "9-7", "0-");
    expect("old", 10, "7", 10);
    attach("one", "old", "11-7", "8-7");
    expect("one", 10, "7", 8);
    expect_formers("old 11 10");
    end();
}
END_TEST

/* The stream has other events at these positions: at the newest one that the process knows, or at
 * the last one that its manager has. */
START_TEST(the_same_epoch_with_other_events)
{
    begin(10);
    attach("one", "old", "9-8", "8-7");
    expect("one", 10, "7", 8);
    attach("two", "one", "10-7", "8-8");
    expect("two", 10, "7", 10);
    expect_formers("one 10 10\nold 9 10");
    end();
}
END_TEST

/* A process that found older data has begun an epoch; the others knew less than it, as much, or
 * more. */
START_TEST(positions_beyond_those_of_the_new_epoch_s_process)
{
    begin(10);
    attach("one", "old", "20-8", "20-8");
    expect("one", 10, "7", 10);
    others_go_on(11, 15);
    attach("two", "old", "19-8", "18-8");
    expect("one", 15, "9", 10);
    attach("two", "old", "20-8", "20-8");
    expect("one", 15, "9", 10);
    attach("two", "old", "21-8", "20-8");
    expect("two", 15, "9", 10);
    expect_formers("one 15 15\nold 21 10");
    attach("three", "old", "21-6", "21-6");
    expect("two", 15, "9", 10);
    attach("three", "one", "15-9", "14-9");
    expect("two", 15, "9", 14);
    attach("three", "one", "13-9", "10-7");
    expect("two", 15, "9", 10);
    end();
}
END_TEST

/* Everything that the process knows is in this stream: the epoch ended for another reason. */
START_TEST(the_stream_has_everything)
{
    begin(10);
    attach("one", "old", "5-8", "5-8");
    expect("one", 10, "7", 10);
    attach("two", "old", "10-7", "3-7");
    expect("one", 10, "7", 3);
    attach("two", "old", "10-7", "3-8");
    expect("two", 10, "7", 10);
    end();
}
END_TEST

/* Each attaching process begins at most one more epoch, in whatever order they attach, and however
 * often. */
START_TEST(several_late_processes)
{
    static const char *const ids[] = {"23-8", "22-8", "25-8", "24-8"};
    static const char *const epochs[] = {"b", "b", "d", "d"};
    char made[2] = "a";

    begin(10);
    attach(made, "old", "20-8", "20-8");
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 4; i++) {
            made[0]++;
            attach(made, "old", ids[i], ids[i]);
            expect(round == 0 ? epochs[i] : "d", 10, "7", 10);
        }
    end();
}
END_TEST

/* The process was away for several epochs, all of this stream: it must read the events of all of
 * them. */
START_TEST(away_for_several_epochs)
{
    begin(10);
    attach("one", "old", "20-8", "20-8");
    others_go_on(11, 15);
    attach("two", "one", "30-8", "30-8");
    others_go_on(16, 18);
    attach("three", "two", "40-8", "40-8");
    expect("three", 18, "9", 18);
    expect_formers("two 40 18\none 30 15\nold 20 10");
    attach("four", "old", "20-8", "20-8");
    expect("three", 18, "9", 10);
    attach("four", "one", "30-8", "30-8");
    expect("three", 18, "9", 15);
    attach("four", "one", "31-8", "31-8");
    expect("four", 18, "9", 15);
    attach("five", "two", "40-8", "40-8");
    expect("four", 18, "9", 18);
    attach("five", "two", "41-8", "41-8");
    expect("five", 18, "9", 18);
    expect_formers("four 18 18\ntwo 41 18\nthree 18 18\none 31 15\nold 20 10");
    end();
}
END_TEST

/* The process has read nothing yet in the epoch that ended: it begins where it was to begin
 * then. */
START_TEST(nothing_was_read_in_the_former_epoch)
{
    begin(10);
    attach("one", "old", "20-8", "20-8");
    expect_may_miss(1);
    others_go_on(11, 15);
    attach("two", "one", "30-8", "30-8");
    expect("two", 15, "9", 15);
    expect_may_miss(1);
    attach("three", "one", "15-9", "10-");
    expect("two", 15, "9", 10);
    attach("three", "two", "15-9", "12-9");
    expect("two", 15, "9", 12);
    expect_may_miss(0);
    end();
}
END_TEST

/* An epoch that is not remembered: of another Redis, or from too long ago. */
START_TEST(an_unknown_epoch)
{
    begin(10);
    attach("one", "other", "3-8", "3-8");
    expect("one", 10, "7", 10);
    expect_formers("old 10 10\nother 3 10");
    others_go_on(11, 12);
    attach("two", "strange", "4-8", "4-8");
    expect("two", 12, "9", 10);
    attach("three", "other", "3-8", "3-8");
    expect("two", 12, "9", 10);
    end();
}
END_TEST

/* Redis returns again to the data from before the epoch that the process began then. */
START_TEST(back_to_the_same_data_again)
{
    begin(10);
    left = "other 3\nold 10\n";
    attach("two", "one", "13-8", "13-8");
    expect("two", 10, "7", 10);
    expect_formers("old 10 10\none 13 10");
    others_go_on(11, 15);
    left = "old 8\n";
    attach("three", "strange", "13-8", "13-8");
    expect("three", 15, "9", 8);
    left = "old 10\n";
    attach("four", "one", "13-8", "13-8");
    expect("three", 15, "9", 10);
    left = "";
    end();
}
END_TEST

/* The epoch continued in another Redis; meanwhile this one has continued too, in the epoch that the
 * process left. */
START_TEST(back_to_an_epoch_that_went_on)
{
    begin(10);
    server_do(&server, "HSET " STATE " base %s", "old 0");
    left = "old 6\n";
    attach("two", "one", "13-8", "13-8");
    expect("two", 10, "7", 6);
    left = "";
    end();
}
END_TEST

/* Nothing was stored in the epoch that Redis has lost: everything that the process still knows is
 * here, but not the reason why it left this epoch. */
START_TEST(back_to_an_epoch_that_it_left)
{
    begin(10);
    left = "old 10\n";
    attach("two", "one", "10-7", "10-7");
    expect("two", 10, "7", 10);
    expect_formers("old 10 10\none 10 10");
    attach("three", "one", "10-7", "10-7");
    expect("two", 10, "7", 10);
    left = "";
    end();
}
END_TEST

/* Nobody here knows the epoch that the process began because it knew more of an earlier one. */
START_TEST(back_to_before_an_epoch_that_it_began)
{
    begin(10);
    left = "first 8\n";
    attach("two", "lost", "10-7", "10-7");
    expect("two", 10, "7", 10);
    attach("three", "empty", "0-", "0-");
    expect("three", 10, "7", 10);
    left = "";
    end();
}
END_TEST

START_TEST(few_former_epochs_are_remembered)
{
    char made[16] = "old";
    char former[16];
    const char *formers;
    int n = 0;

    begin(10);
    for (int i = 0; i < 3 * MAX_FORMERS; i++) {
        snprintf(former, sizeof former, "%s", made);
        snprintf(made, sizeof made, "e%d", i);
        attach(made, former, "20-8", "20-8");
        expect(made, 10, "7", 10);
    }
    formers = server_do(&server, "HGET " STATE " formers");
    for (const char *at = formers; at != NULL; at = strchr(at + 1, '\n'))
        n++;
    ck_assert_int_eq(n, MAX_FORMERS);
    ck_assert_str_eq(strrchr(formers, '\n'), "\ne63 20 10");
    attach("new", "e63", "20-8", "20-8");
    expect(made, 10, "7", 10);
    attach("new", "e62", "20-8", "20-8");
    expect("new", 10, "7", 10);
    end();
}
END_TEST

START_TEST(redis_is_wiped)
{
    begin(10);
    server_do(&server, "FLUSHALL");
    attach("one", "old", "9-7", "9-7");
    expect("one", 0, "", 0);
    expect_formers("old 9 0");
    others_go_on(1, 3);
    attach("two", "old", "9-7", "9-7");
    expect("one", 3, "9", 0);
    attach("two", "old", "10-7", "9-7");
    expect("two", 3, "9", 0);
    expect_formers("one 3 3\nold 10 0");
    end();
}
END_TEST

/* After a wipe, a process that knew nothing may attach first. */
START_TEST(redis_is_wiped_and_another_process_is_first)
{
    begin(10);
    server_do(&server, "FLUSHALL");
    attach("one", "", "0-", "0-");
    others_go_on(1, 3);
    attach("two", "old", "9-7", "9-7");
    expect("two", 3, "9", 0);
    attach("three", "old", "9-7", "9-7");
    expect("two", 3, "9", 0);
    end();
}
END_TEST

/* An entry of another program is in the way: the stream is deleted, and processes that were in it
 * have lost it. */
START_TEST(an_entry_beyond_the_position)
{
    begin(10);
    server_do(&server, "XADD " EVENTS " 99-1 event {}");
    attach("one", "old", "8-7", "8-7");
    expect("one", 10, "", 10);
    expect_formers("old 10 10");
    attach("two", "old", "10-7", "10-7");
    expect("one", 10, "", 10);
    end();
}
END_TEST

/* Processes with an older version of this library begin epochs too, and remember nothing. */
START_TEST(an_epoch_of_unknown_base)
{
    begin(10);
    attach("one", "old", "20-8", "20-8");
    others_go_on(11, 15);
    server_do(&server, "HSET " STATE " epoch another");
    attach("two", "one", "30-8", "30-8");
    expect("two", 15, "9", 15);
    server_do(&server, "HSET " STATE " formers %s base x", "nonsense");
    attach("three", "old", "20-8", "20-8");
    expect("three", 15, "9", 15);
    end();
}
END_TEST

/* A server that was mistaken for Redis may have given invalid ids. */
START_TEST(an_invalid_id)
{
    begin(10);
    attach("one", "old", "9-x y", "9-");
    expect("one", 10, "7", 10);
    end();
}
END_TEST

int main(void)
{
    return suite_run("redis-attach",
                     (const TTest *const[]){the_first_process,
                                            a_process_that_knows_nothing,
                                            the_same_epoch,
                                            the_same_epoch_with_other_events,
                                            positions_beyond_those_of_the_new_epoch_s_process,
                                            the_stream_has_everything,
                                            several_late_processes,
                                            away_for_several_epochs,
                                            nothing_was_read_in_the_former_epoch,
                                            an_unknown_epoch,
                                            back_to_the_same_data_again,
                                            back_to_an_epoch_that_went_on,
                                            back_to_an_epoch_that_it_left,
                                            back_to_before_an_epoch_that_it_began,
                                            few_former_epochs_are_remembered,
                                            redis_is_wiped,
                                            redis_is_wiped_and_another_process_is_first,
                                            an_entry_beyond_the_position,
                                            an_epoch_of_unknown_base,
                                            an_invalid_id,
                                            NULL});
}
