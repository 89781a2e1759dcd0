/* cjson_seen.h: cJSON's parser with the variable that each of its calls writes visible to
 * ThreadSanitizer: Debian's library was built without it. A program that links this calls it
 * instead. */
#ifndef SUPPORT_CJSON_SEEN_H
#define SUPPORT_CJSON_SEEN_H

/* The number of calls. */
extern unsigned long cjson_seen;

#endif
