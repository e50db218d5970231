#include "exchange/block_feed.h"

#include "base/alloc.h"

typedef struct list_feed {
    arb_block_feed base;
    arb_block_ref blocks[];
} list_feed;

static arb_code take(arb_block_feed *feed, size_t part, size_t at, arb_task *task, arb_fed *out_what,
                     arb_block_loan *out_loan, arb_error *error)
{
    const arb_block_ref *ref = &((const list_feed *)feed)->blocks[part];
    (void)task;
    *out_what = at == 0 ? ARB_FED_BLOCK : ARB_FED_END;
    return at == 0 ? arb_attempt_output_borrow(ref->output, ref->partition, ref->at, out_loan, error) : ARB_OK;
}

static void destroy(arb_block_feed *feed)
{
    list_feed *list = (list_feed *)feed;
    for (size_t i = 0; i < feed->parts; i++)
        arb_attempt_output_unref(list->blocks[i].output);
    arb_free(list);
}

arb_code arb_block_feed_create(const arb_block_ref *blocks, size_t block_count, arb_block_feed **out_feed,
                               arb_error *error)
{
    static const arb_block_feed_vtable vtable = {.take = take, .destroy = destroy};
    size_t size = sizeof(list_feed) + block_count * sizeof *blocks;
    list_feed *list = arb_alloc_zeroed(size);
    *out_feed = NULL;
    if (list == NULL)
        return arb_fail_memory(error, "an exchange", size);
    list->base = (arb_block_feed){&vtable, block_count};
    for (size_t i = 0; i < block_count; i++) {
        list->blocks[i] = blocks[i];
        (void)arb_attempt_output_ref(blocks[i].output);
    }
    *out_feed = &list->base;
    return ARB_OK;
}
