#include "base/failpoint.h"

#ifdef ARB_FAILPOINTS
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef enum action { NOTHING, KILL, STOP, ABORT, DELAY, ERROR, CORRUPT, ACTIONS } action;

static const char *const action_names[ACTIONS] = {"", "kill", "stop", "abort", "delay", "error", "corrupt"};

typedef struct point {
    action action;
    uint64_t only; /* the passage that acts; 0: each */
    uint64_t delay_ms;
    arb_code code;
    _Atomic uint64_t passages;
} point;

static const struct {
    const char *name;
    arb_point_kind kind;
} places[ARB_FAILPOINT_COUNT] = {
#define X(name, text, kind) {text, kind},
    ARB_FAILPOINT_LIST(X)
#undef X
};

static point points[ARB_FAILPOINT_COUNT];
static const char *marker, *condition;

/* ---- what the environment says ------------------------------------------------------------------------------------------- */

static arb_code refuse(arb_error *error, arb_str what, const char *why)
{
    return arb_fail(error, ARB_CONFIGURATION, "ARBALEST_FAILPOINTS: \"%.*s\": %s", ARB_STR_ARGS(what), why);
}

/* Up to the character, which is behind it; all when it is not there. *out_found says which. */
static arb_str cut(arb_str *rest, char at, bool *out_found)
{
    const char *end = memchr(rest->data, at, rest->size);
    arb_str piece = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size};
    *out_found = end != NULL;
    *rest = end != NULL ? (arb_str){end + 1, rest->size - piece.size - 1} : (arb_str){rest->data + rest->size, 0};
    return piece;
}

/* Digits alone, up to a thousand million. */
static bool read_number(arb_str text, uint64_t *out_number)
{
    enum { DIGITS_MOST = 9 };
    *out_number = 0;
    for (size_t i = 0; i < text.size && i < DIGITS_MOST; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out_number = *out_number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.size > 0 && text.size <= DIGITS_MOST;
}

static const char *read_action(arb_str text, arb_point_kind kind, point *to)
{
    bool has_argument;
    arb_str argument = text, name = cut(&argument, ':', &has_argument);
    for (int which = KILL; which < ACTIONS; which++)
        if (arb_str_equal(name, arb_str_of(action_names[which])))
            to->action = (action)which;
    switch (to->action) {
    case DELAY:
        return read_number(argument, &to->delay_ms) ? NULL : "a delay needs its milliseconds: delay:100";
    case ERROR:
        to->code = arb_code_of_sqlstate(argument.data, argument.size);
        return to->code == ARB_OK        ? "an error needs an SQLSTATE of ours: error:58030"
               : kind != ARB_POINT_FAILS ? "this place cannot fail"
                                         : NULL;
    case CORRUPT:
        return has_argument                  ? "corrupt takes no argument"
               : kind != ARB_POINT_HAS_BYTES ? "this place has no bytes"
                                             : NULL;
    case KILL:
    case STOP:
    case ABORT:
        return has_argument ? "this action takes no argument" : NULL;
    case NOTHING:
    case ACTIONS:
        break;
    }
    return "the action is none of kill, stop, abort, delay, error, corrupt";
}

static arb_code read_point(arb_str item, arb_error *error)
{
    bool has_action, has_number;
    arb_str rest = item, name = cut(&rest, '=', &has_action), what = cut(&rest, '@', &has_number);
    size_t at = 0;
    while (at < ARB_FAILPOINT_COUNT && !arb_str_equal(name, arb_str_of(places[at].name)))
        at++;
    if (at == ARB_FAILPOINT_COUNT)
        return refuse(error, item, "there is no such place");
    point *to = &points[at];
    if (to->action != NOTHING)
        return refuse(error, item, "a place does one thing");
    const char *why =
        !has_action ? "an action is missing: NAME=ACTION[:ARGUMENT][@N]" : read_action(what, places[at].kind, to);
    if (why == NULL && has_number && (!read_number(rest, &to->only) || to->only == 0))
        why = "behind @ stands a number from 1 on";
    return why == NULL ? ARB_OK : refuse(error, item, why);
}

bool arb_failpoints_variable(arb_str name)
{
    return arb_str_equal(name, ARB_STR("FAILPOINTS")) || arb_str_equal(name, ARB_STR("FAILPOINTS_MARKER")) ||
           arb_str_equal(name, ARB_STR("FAILPOINTS_WHILE"));
}

arb_code arb_failpoints_read(arb_error *error)
{
    const char *text = getenv("ARBALEST_FAILPOINTS");
    arb_str rest = arb_str_of(text != NULL ? text : "");
    bool more = rest.size > 0;
    for (size_t i = 0; i < ARB_FAILPOINT_COUNT; i++) {
        points[i].action = NOTHING;
        points[i].only = 0;
        atomic_store(&points[i].passages, 0);
    }
    marker = getenv("ARBALEST_FAILPOINTS_MARKER");
    condition = getenv("ARBALEST_FAILPOINTS_WHILE");
    while (more) {
        arb_str item = cut(&rest, ',', &more);
        ARB_TRY(read_point(item, error));
    }
    return ARB_OK;
}

/* ---- passages ------------------------------------------------------------------------------------------------------------- */

/* In one write, which nobody else's comes into. */
static void leave_mark(arb_failpoint at)
{
    char line[128];
    int file = marker != NULL ? open(marker, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0)
        return;
    int size =
        snprintf(line, sizeof line, "%s %s %ld\n", places[at].name, action_names[points[at].action], (long)getpid());
    (void)!write(file, line, (size_t)size);
    close(file);
}

/* Is it to act? */
static bool is_due(arb_failpoint at)
{
    point *here = &points[at];
    if (ARB_LIKELY(here->action == NOTHING) || (condition != NULL && access(condition, F_OK) != 0))
        return false;
    uint64_t passage = atomic_fetch_add(&here->passages, 1) + 1;
    if (here->only != 0 && here->only != passage)
        return false;
    leave_mark(at);
    return true;
}

static void wait_ms(uint64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0)
        continue;
}

static arb_code act(arb_failpoint at, arb_error *error)
{
    const point *here = &points[at];
    switch (here->action) {
    case KILL:
        kill(getpid(), SIGKILL);
        break;
    case STOP:
        kill(getpid(), SIGSTOP);
        break;
    case ABORT:
        abort();
    case DELAY:
        wait_ms(here->delay_ms);
        break;
    case ERROR:
        return arb_fail(error, here->code, "the failpoint %s", places[at].name);
    case NOTHING:
    case CORRUPT:
    case ACTIONS:
        break;
    }
    return ARB_OK;
}

arb_code arb_failpoint_pass(arb_failpoint at, arb_error *error)
{
    return is_due(at) ? act(at, error) : ARB_OK;
}

void arb_failpoint_damage(arb_failpoint at, uint8_t *bytes, size_t size)
{
    if (size == 0 || !is_due(at))
        return;
    if (points[at].action == CORRUPT)
        bytes[size / 2] ^= 0x55;
    else
        (void)!act(at, NULL);
}
#endif
