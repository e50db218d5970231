#include "exchange_flight/output_feed.h"

#include "base/alloc.h"

typedef struct output_feed {
    arb_block_feed base;
    _Atomic size_t *failed;
    arb_feed_part parts[];
} output_feed;

static arb_code take_of(const arb_feed_part *part, size_t at, arb_task *task, arb_fed *out_what,
                        arb_block_loan *out_loan, arb_error *error)
{
    if (part->output == NULL)
        return arb_output_fetch_take(part->fetch, part->unit, task, out_what, out_loan, error);
    bool more = at < arb_attempt_output_size(part->output, part->partition).blocks;
    *out_what = more ? ARB_FED_BLOCK : ARB_FED_END;
    return more ? arb_attempt_output_borrow(part->output, part->partition, at, out_loan, error) : ARB_OK;
}

static arb_code take(arb_block_feed *base, size_t number, size_t at, arb_task *task, arb_fed *out_what,
                     arb_block_loan *out_loan, arb_error *error)
{
    const output_feed *feed = (const output_feed *)base;
    arb_code code = take_of(&feed->parts[number], at, task, out_what, out_loan, error);
    size_t none = SIZE_MAX;
    if (code != ARB_OK && code != ARB_CANCELLED)
        (void)atomic_compare_exchange_strong(feed->failed, &none, number);
    return code;
}

static void stop(arb_block_feed *feed)
{
    for (size_t i = 0; i < feed->parts; i++) {
        const arb_feed_part *part = &((const output_feed *)feed)->parts[i];
        if (part->output == NULL)
            arb_output_fetch_stop(part->fetch);
    }
}

static void destroy(arb_block_feed *feed)
{
    output_feed *of = (output_feed *)feed;
    for (size_t i = 0; i < feed->parts; i++)
        arb_attempt_output_unref(of->parts[i].output);
    arb_free(of);
}

arb_code arb_output_feed_create(const arb_feed_part *parts, size_t part_count, _Atomic size_t *failed,
                                arb_block_feed **out_feed, arb_error *error)
{
    static const arb_block_feed_vtable vtable = {.take = take, .stop = stop, .destroy = destroy};
    size_t size = sizeof(output_feed) + part_count * sizeof *parts;
    output_feed *feed = arb_alloc_zeroed(size);
    *out_feed = NULL;
    if (feed == NULL)
        return arb_fail_memory(error, "an exchange", size);
    feed->base = (arb_block_feed){&vtable, part_count};
    feed->failed = failed;
    for (size_t i = 0; i < part_count; i++) {
        feed->parts[i] = parts[i];
        if (parts[i].output != NULL)
            (void)arb_attempt_output_ref(parts[i].output);
    }
    *out_feed = &feed->base;
    return ARB_OK;
}
