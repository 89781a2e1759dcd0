/* cjson_seen.h: cJSON's parser with the variable that each of its calls writes where ThreadSanitizer
 * sees it: Debian's library was built without. A program that is linked with it calls it instead. */
#ifndef SUPPORT_CJSON_SEEN_H
#define SUPPORT_CJSON_SEEN_H

/* How often it was called. */
extern unsigned long cjson_seen;

#endif
