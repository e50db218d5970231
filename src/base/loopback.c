#include "base/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

bool arb_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    return strcasecmp(host, "localhost") == 0 ||
           (inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127) ||
           (inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

arb_code arb_loopback_check(const char *host, const char *address, bool meant, arb_error *error)
{
    if (meant || arb_is_loopback(host))
        return ARB_OK;
    (void)arb_fail(error, ARB_CONFIGURATION, "%s can be reached from other machines, in plain text", address);
    arb_error_hint(error, "Listen at 127.0.0.1, or say that this is meant (--insecure).");
    return ARB_CONFIGURATION;
}
