/* suite.c: running a file's test cases in this process, so that the sanitizers see all of it. */
#include "support/suite.h"

#include <stdlib.h>

int suite_run_all(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int suite_run(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);

    for (; *tests != NULL; tests++)
        tcase_add_test(cases, *tests);
    suite_add_tcase(suite, cases);
    return suite_run_all(suite);
}
