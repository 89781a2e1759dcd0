/* calls.h: which functions a test has called, for one that must call all that a library exports. */
#ifndef TESTS_UNIT_SUPPORT_CALLS_H
#define TESTS_UNIT_SUPPORT_CALLS_H

/* The function, which counts as called from then on. */
#define CALLED(function) (calls_note(#function), function)

void calls_note(const char *name);

/* Fails if the version script names a function that was not called. */
void calls_expect_all(const char *version_script);

#endif
