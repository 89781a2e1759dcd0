/* content_coding.h: which content codings a client accepts, by the header Accept-Encoding (RFC
 * 9110 §12.5.3). Which forms of a file exist is static_files.h. */
#ifndef BACKEND_CONTENT_CODING_H
#define BACKEND_CONTENT_CODING_H

/* Of codings with the same weight, the later one is preferred. */
enum content_coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, N_CODINGS };

struct content_codings {
    int weights[N_CODINGS]; /* in thousandths; 0: refused; below 0: not named */
    int other_weight;       /* of codings that are not named, by "*" */
};

/* No coding is named yet. */
void content_codings_init(struct content_codings *codings);

/* Reads one such header. */
void content_codings_take(struct content_codings *codings, const char *value);

/* Lists the codings that the client accepts, best first. The list ends with CODING_IDENTITY, even
 * for a client that accepts no coding. */
void content_codings_order(const struct content_codings *codings,
                           enum content_coding list[N_CODINGS]);

#endif
