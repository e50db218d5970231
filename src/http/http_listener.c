#include "http/http_listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loopback.h"

/* 0, or the errno of what failed. */
static int listen_at(const struct addrinfo *at, int *out_socket)
{
    const int yes = 1;
    int s = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return errno;
    /* A port whose last connections are still ending is free. */
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 && bind(s, at->ai_addr, at->ai_addrlen) == 0 &&
        listen(s, SOMAXCONN) == 0) {
        *out_socket = s;
        return 0;
    }
    int failure = errno;
    close(s);
    return failure;
}

static uint16_t port_of(int s)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    if (getsockname(s, (struct sockaddr *)&at, &size) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET ? ((const struct sockaddr_in *)&at)->sin_port
                                         : ((const struct sockaddr_in6 *)&at)->sin6_port);
}

arb_code arb_http_listen(const char *host, uint16_t port, bool beyond_loopback, int *out_socket, uint16_t *out_port,
                         arb_error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    ARB_TRY(arb_loopback_check(host, host, beyond_loopback, error));
    snprintf(service, sizeof service, "%u", port);
    int unknown = getaddrinfo(host, service, &hints, &found);
    if (unknown != 0)
        return arb_fail(error, ARB_CONFIGURATION, "cannot listen on %s: %s", host, gai_strerror(unknown));
    int failure = EADDRNOTAVAIL;
    for (const struct addrinfo *at = found; at != NULL && failure != 0; at = at->ai_next)
        failure = listen_at(at, out_socket);
    freeaddrinfo(found);
    if (failure != 0)
        return arb_fail_errno(error, failure, "cannot listen on %s, port %u", host, port);
    *out_port = port_of(*out_socket);
    return ARB_OK;
}
