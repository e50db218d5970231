/* random_number.c: random(). Each thread has a generator of its own (xoshiro256**), seeded by the system. */
#include <errno.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "expr/function_row.h"

typedef struct random_state {
    uint64_t words[4];
} random_state;

static void release_random(void *state)
{
    arb_free(state);
}

static arb_code prepare_random(const arb_expr *expr, void **out_state, arb_error *error)
{
    (void)expr;
    random_state *own = arb_alloc_zeroed(sizeof *own);
    if (own == NULL)
        return arb_fail_memory(error, "a random number's state", sizeof *own);
    if (getrandom(own->words, sizeof own->words, 0) != (ssize_t)sizeof own->words) {
        arb_free(own);
        return arb_fail_errno(error, errno, "cannot seed random()");
    }
    own->words[0] |= 1; /* not all zero */
    *out_state = own;
    return ARB_OK;
}

static uint64_t rotate(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

static uint64_t next_word(random_state *own)
{
    uint64_t *words = own->words, result = rotate(words[1] * 5, 7) * 9, shifted = words[1] << 17;
    words[2] ^= words[0];
    words[3] ^= words[1];
    words[1] ^= words[2];
    words[0] ^= words[3];
    words[2] ^= shifted;
    words[3] = rotate(words[3], 45);
    return result;
}

/* Within [0, 1). */
static arb_code run_random(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.f64[row] = (double)(next_word(call->state) >> 11) * 0x1p-53;
    return ARB_OK;
}

/* A random identifier of version 4. */
static arb_code run_uuid(arb_call *call, arb_error *error)
{
    enum { form_size = 36 };
    ARB_CALL_EACH(call, row)
    {
        uint64_t words[2] = {next_word(call->state), next_word(call->state)};
        words[0] = (words[0] & ~(uint64_t)0xF000) | 0x4000;
        words[1] = (words[1] & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62;
        char *room;
        ARB_TRY(arb_call_make_text(call, form_size, &room, error));
        for (unsigned i = 0, digit = 0; i < form_size; i++) {
            bool dash = i == 8 || i == 13 || i == 18 || i == 23;
            room[i] = dash ? '-' : "0123456789abcdef"[words[digit / 16] >> (60 - digit % 16 * 4) & 15];
            digit += !dash;
        }
        arb_call_put_text(call, row, room, form_size);
    }
    return ARB_OK;
}

static const arb_scalar_implementation random_run = {
    .prepare = prepare_random, .release = release_random, .run = run_random};
static const arb_scalar_implementation uuid_run = {
    .prepare = prepare_random, .release = release_random, .run = run_uuid};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("random", 0, 0, ">d", &random_run, .infallible = true, .is_volatile = true),
    ARB_SCALAR_ROW("gen_random_uuid", 0, 0, ">t", &uuid_run, .infallible = true, .is_volatile = true),
};
ARB_FUNCTION_TABLE(arb_functions_random, rows);
