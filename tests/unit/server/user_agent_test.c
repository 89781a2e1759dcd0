/* user_agent_test.c: which browsers are known to keep their compression context. Not here: that
 * compression is declined for them (e2e/test_handshake.py). */
#include "server/parts/user_agent.h"

#include "support/suite.h"

#define WEBKIT "AppleWebKit/605.1.15 (KHTML, like Gecko) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define IPHONE(version) "Mozilla/5.0 (iPhone; CPU iPhone OS " version " like Mac OS X) "
#define IPAD(version) "Mozilla/5.0 (iPad; CPU OS " version " like Mac OS X) "
#define CHROME "AppleWebKit/537.36 (KHTML, like Gecko) "

START_TEST(safari_15_0_to_15_3)
{
    static const char *const agents[] = {
        MAC WEBKIT "Version/15.0 Safari/605.1.15",
        MAC WEBKIT "Version/15.1 Safari/605.1.15",
        MAC WEBKIT "Version/15.2 Safari/605.1.15",
        MAC WEBKIT "Version/15.3 Safari/605.1.15",
        MAC WEBKIT "Version/15.3.1 Safari/605.1.15",
        MAC WEBKIT "Version/15 Safari/605.1.15",
        IPHONE("15_1") WEBKIT "Version/15.1 Mobile/15E148 Safari/604.1",
    };

    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++)
        ck_assert_msg(user_agent_keeps_deflate_context(agents[i]), "%s", agents[i]);
}
END_TEST

START_TEST(all_browsers_on_ios_15_0_to_15_3)
{
    static const char *const agents[] = {
        IPHONE("15_0") WEBKIT "CriOS/96.0.4664.53 Mobile/15E148 Safari/604.1",
        IPHONE("15_3_1") WEBKIT "FxiOS/96.0 Mobile/15E148 Safari/605.1.15",
        IPAD("15_2") WEBKIT "Version/15.0 EdgiOS/96.0.1054.49 Mobile/15E148 Safari/604.1",
        IPAD("15_2_1") WEBKIT "Mobile/19C63",
        IPHONE("15") WEBKIT "Mobile/19A346",
    };

    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++)
        ck_assert_msg(user_agent_keeps_deflate_context(agents[i]), "%s", agents[i]);
}
END_TEST

START_TEST(all_other_browsers)
{
    static const char *const agents[] = {
        "",
        "Version/15.1 Safari/605.1.15",
        "curl/7.88.1",
        "Python/3.11 websockets/10.4",
        MAC WEBKIT "Version/14.1.2 Safari/605.1.15",
        MAC WEBKIT "Version/15.4 Safari/605.1.15",
        MAC WEBKIT "Version/15.10 Safari/605.1.15",
        MAC WEBKIT "Version/15.6.1 Safari/605.1.15",
        MAC WEBKIT "Version/150.1 Safari/605.1.15",
        MAC WEBKIT "Version/16.1 Safari/605.1.15",
        MAC WEBKIT "Version/115.1 Safari/605.1.15",
        MAC WEBKIT "Version/",
        MAC CHROME "Chrome/96.0.4664.110 Safari/537.36",
        MAC CHROME "Version/15.1 Chrome/96.0.4664.110 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64) " CHROME
        "Ubuntu Chromium/95.0 Version/15.1 Safari/537.36",
        "Mozilla/5.0 (Linux; U; Android 15) " CHROME "Version/15.0 Mobile Safari/534.30",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:95.0) Gecko/20100101 Firefox/95.0",
        IPHONE("15_4") WEBKIT "Version/15.4 Mobile/15E148 Safari/604.1",
        IPHONE("15_4_1") WEBKIT "CriOS/15.1 Mobile/15E148 Safari/604.1",
        IPHONE("15_6") WEBKIT "Version/15.0 EdgiOS/110.0.1587.41 Mobile/15E148 Safari/604.1",
        IPHONE("14_8") WEBKIT "Version/14.1.2 Mobile/15E148 Safari/604.1",
        IPAD("16_1") WEBKIT "Version/16.1 Mobile/15E148 Safari/604.1",
    };

    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++)
        ck_assert_msg(!user_agent_keeps_deflate_context(agents[i]), "%s", agents[i]);
    ck_assert(!user_agent_keeps_deflate_context(NULL));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        safari_15_0_to_15_3,
        all_browsers_on_ios_15_0_to_15_3,
        all_other_browsers,
        NULL,
    };

    return suite_run("user-agent", tests);
}
