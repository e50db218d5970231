/* loopback.h: which hosts are this machine's own. Whoever serves in plain text listens at those alone, unless somebody says that
 * others are meant. */
#ifndef ARB_BASE_LOOPBACK_H
#define ARB_BASE_LOOPBACK_H

#include "base/error.h"

/* An address of loopback in numbers, without brackets, or the one name that means it: other names may stand for anything. */
bool arb_is_loopback(const char *host);
/* May one listen at `address`, whose host this is? ARB_CONFIGURATION with a hint: it is not loopback, and not `meant`. */
ARB_NODISCARD arb_code arb_loopback_check(const char *host, const char *address, bool meant, arb_error *error);

#endif
