#include "http/http_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* "name", "name:port", "[v6]", "[v6]:port" without its port; data NULL: it is none of these. */
static arb_str without_port(arb_str host)
{
    const arb_str none = {0};
    size_t size = 0;
    if (host.size > 0 && host.data[0] == '[') {
        const char *end = memchr(host.data, ']', host.size);
        if (end == NULL)
            return none;
        size = (size_t)(end - host.data) + 1;
    } else {
        while (size < host.size && host.data[size] != ':')
            size++;
    }
    if (size == 0 || (size < host.size && host.data[size] != ':') || host.size - size > 6)
        return none;
    for (size_t i = size + 1; i < host.size; i++)
        if (host.data[i] < '0' || host.data[i] > '9')
            return none;
    return (arb_str){host.data, size};
}

/* Is it that address, written as a number? */
static bool is_address(arb_str name, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr six;
    struct in_addr four;
    bool bracketed = name.size >= 2 && name.data[0] == '[' && name.data[name.size - 1] == ']';
    arb_str plain = bracketed ? (arb_str){name.data + 1, name.size - 2} : name;
    if (plain.size >= sizeof text)
        return false;
    memcpy(text, plain.data, plain.size);
    text[plain.size] = 0;
    if (address->sa_family == AF_INET)
        return !bracketed && inet_pton(AF_INET, text, &four) == 1 &&
               four.s_addr == ((const struct sockaddr_in *)address)->sin_addr.s_addr;
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *here = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (bracketed)
        return inet_pton(AF_INET6, text, &six) == 1 && memcmp(&six, here, sizeof six) == 0;
    /* a socket of both families shows version 4 inside version 6 */
    return IN6_IS_ADDR_V4MAPPED(here) && inet_pton(AF_INET, text, &four) == 1 &&
           memcmp(&four, &here->s6_addr[12], sizeof four) == 0;
}

static bool is_ours(const arb_http_guard *guard, arb_str host, const struct sockaddr *arrived)
{
    arb_str name = without_port(host);
    if (name.data == NULL)
        return false;
    if (arb_str_equal_nocase(name, ARB_STR("localhost")) || is_address(name, arrived))
        return true;
    for (size_t i = 0; i < guard->host_count; i++)
        if (arb_str_equal_nocase(name, guard->hosts[i]))
            return true;
    return false;
}

/* The origin of what this very server gives, by the name that it was asked by; TLS may be spoken in front of it. */
static bool is_same_origin(arb_str origin, arb_str host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < ARB_COUNT_OF(schemes); i++) {
        arb_str scheme = arb_str_of(schemes[i]);
        if (arb_str_starts_with(origin, scheme))
            return arb_str_equal_nocase((arb_str){origin.data + scheme.size, origin.size - scheme.size}, host);
    }
    return false;
}

arb_http_refusal arb_http_guard_check(const arb_http_guard *guard, const arb_http_claims *claims,
                                      const struct sockaddr *arrived, bool changes)
{
    arb_str token;
    if (claims->host.data == NULL || claims->doubled)
        return (arb_http_refusal){400, "Host is needed, and neither it nor Origin or Authorization may come twice"};
    if (!is_ours(guard, claims->host, arrived))
        return (arb_http_refusal){421, "this server does not go by the name in Host; it can be told to"};
    if (claims->origin.data != NULL && !is_same_origin(claims->origin, claims->host))
        return (arb_http_refusal){403, "pages of other origins may not ask here"};
    if (!changes)
        return (arb_http_refusal){0};
    if (guard->token.size == 0)
        return (arb_http_refusal){403, "changes need a token, and this server was started without one"};
    if (claims->authorization.data == NULL)
        return (arb_http_refusal){401, "changes need the header Authorization: Bearer TOKEN"};
    if (!arb_auth_read_bearer(claims->authorization, &token) || !arb_auth_equal(token, guard->token))
        return (arb_http_refusal){401, "this is not the token"};
    return (arb_http_refusal){0};
}
