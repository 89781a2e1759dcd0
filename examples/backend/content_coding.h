/* content_coding.h: which forms of a file a client takes, by the header "Accept-Encoding" (RFC 9110,
 * 12.5.3). Which forms there are is static_files.h. */
#ifndef BACKEND_CONTENT_CODING_H
#define BACKEND_CONTENT_CODING_H

/* The later one is preferred where a client doesn't mind. */
enum content_coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, N_CODINGS };

struct content_codings {
    int weights[N_CODINGS]; /* in thousandths; 0: not taken; below 0: not named */
    int other_weight;       /* of what is not named, by "*" */
};

/* Nothing is named yet. */
void content_codings_init(struct content_codings *codings);

/* Takes one such header. */
void content_codings_take(struct content_codings *codings, const char *value);

/* Lists those that the client takes, the best one first, up to CODING_IDENTITY, which is also for
 * a client that takes no coding. */
void content_codings_order(const struct content_codings *codings,
                           enum content_coding list[N_CODINGS]);

#endif
