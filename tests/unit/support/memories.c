/* memories.c: what a cluster's carrier remembers, in an array. */
#include "support/memories.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memories memories;

void memories_reset(void)
{
    for (size_t i = 0; i < memories.n_values; i++)
        free(memories.values[i].text);
    memories = (struct memories){.max_bytes = 65536};
}

struct memory *memories_find(const char *key)
{
    for (size_t i = 0; i < memories.n_values; i++)
        if (strcmp(memories.values[i].key, key) == 0)
            return &memories.values[i];
    return NULL;
}

static int remember(const char *key, uint64_t rank, const void *text, size_t length,
                    uint64_t ttl_ms, void *data)
{
    struct memory *value = memories_find(key);

    (void)data;
    memories.n_remembers++;
    if (memories.remember_result != WS_OK)
        return memories.remember_result;
    ck_assert_uint_le(length, memories.max_bytes);
    if (value == NULL) {
        ck_assert_uint_lt(memories.n_values, MEMORIES_MAX);
        value = &memories.values[memories.n_values++];
        snprintf(value->key, sizeof value->key, "%s", key);
    }
    ck_assert_uint_gt(rank, value->rank);
    free(value->text);
    value->rank = rank;
    value->ttl_ms = ttl_ms;
    value->text = length > 0 ? malloc(length) : NULL;
    value->length = length;
    if (length > 0)
        memcpy(value->text, text, length);
    return WS_OK;
}

void memories_answer(void)
{
    for (size_t i = 0; i < memories.n_questions; i++) {
        const struct memory *value = memories_find(memories.questions[i].key);
        bool is_there = value != NULL && value->text != NULL;

        ck_assert_int_eq(ws_manager_cluster_recalled(
                             memories.questions[i].process->host.manager,
                             memories.questions[i].request, is_there ? value->text : NULL,
                             is_there ? value->length : 0),
                         WS_OK);
    }
    memories.n_questions = 0;
}

static int recall(const char *key, void *request, void *data)
{
    memories.n_recalls++;
    if (memories.recall_result != WS_OK)
        return memories.recall_result;
    ck_assert_uint_lt(memories.n_questions, MEMORIES_QUESTIONS_MAX);
    memories.questions[memories.n_questions] =
        (struct memory_question){.process = data, .request = request};
    snprintf(memories.questions[memories.n_questions++].key, sizeof memories.questions->key,
             "%s", key);
    return WS_OK;
}

void memories_add(ws_cluster *carrier)
{
    carrier->remember = remember;
    carrier->recall = recall;
}
