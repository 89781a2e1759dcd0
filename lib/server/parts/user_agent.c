/* user_agent.c: what a browser's User-Agent says about faults that the server works around. */
#include "server/parts/user_agent.h"

#include <stddef.h>
#include <string.h>

/* Whether a version ("15.1", "15_2_1", "15") is 15.0 to 15.3. */
static bool is_affected(const char *version)
{
    if (strncmp(version, "15", 2) != 0)
        return false;
    version += 2;
    if (*version >= '0' && *version <= '9')
        return false;
    if (*version != '.' && *version != '_')
        return true;
    return version[1] >= '0' && version[1] <= '3' && (version[2] < '0' || version[2] > '9');
}

/* The text after a mark; NULL if the mark is missing. */
static const char *behind(const char *user_agent, const char *mark)
{
    const char *at = strstr(user_agent, mark);

    return at != NULL ? at + strlen(mark) : NULL;
}

/* Safari and what embeds it say for example
 *   (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.1
 *   Safari/605.1.15
 *   (iPhone; CPU iPhone OS 15_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)
 *   CriOS/96.0.4664.53 Mobile/15E148 Safari/604.1
 *   (iPad; CPU OS 15_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148
 * On iOS the system's version counts, for other browsers' "Version/" there means nothing. A web
 * view of Android has a "Version/" too. */
bool user_agent_keeps_deflate_context(const char *user_agent)
{
    const char *ios;
    const char *version;

    if (user_agent == NULL || strstr(user_agent, "AppleWebKit/") == NULL)
        return false;
    ios = behind(user_agent, "CPU iPhone OS ");
    if (ios == NULL)
        ios = behind(user_agent, "CPU OS ");
    if (ios != NULL)
        return is_affected(ios);
    version = behind(user_agent, " Version/");
    return version != NULL && is_affected(version) && strstr(user_agent, " Safari/") != NULL &&
           strstr(user_agent, "Chrome/") == NULL && strstr(user_agent, "Chromium/") == NULL &&
           strstr(user_agent, "Android") == NULL;
}
