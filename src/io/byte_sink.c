#include "io/byte_sink.h"

#include "base/alloc.h"

arb_code arb_byte_sink_write(arb_byte_sink *sink, const void *data, size_t size, arb_error *error)
{
    assert(!sink->finished);
    if (size == 0)
        return ARB_OK;
    ARB_TRY(sink->vtable->write(sink, data, size, error));
    sink->written += size;
    return ARB_OK;
}

arb_code arb_byte_sink_finish(arb_byte_sink *sink, arb_error *error)
{
    assert(!sink->finished);
    ARB_TRY(sink->vtable->finish(sink, error));
    sink->finished = true;
    return ARB_OK;
}

void arb_byte_sink_destroy(arb_byte_sink *sink)
{
    if (sink != NULL)
        sink->vtable->destroy(sink);
}

/* ---- to memory ----------------------------------------------------------------------------------------------- */

typedef struct memory_sink {
    arb_byte_sink base;
    arb_text *text;
} memory_sink;

static void memory_destroy(arb_byte_sink *sink)
{
    arb_free(sink);
}

static arb_code memory_write(arb_byte_sink *sink, const void *data, size_t size, arb_error *error)
{
    arb_text *text = ((memory_sink *)sink)->text;
    arb_text_append(text, data, size);
    return arb_text_check(text, error);
}

static arb_code memory_finish(arb_byte_sink *sink, arb_error *error)
{
    return arb_text_check(((memory_sink *)sink)->text, error);
}

arb_code arb_byte_sink_create_memory(arb_text *text, arb_byte_sink **out_sink, arb_error *error)
{
    static const arb_byte_sink_vtable vtable = {memory_destroy, memory_write, memory_finish};
    *out_sink = NULL;
    memory_sink *sink = arb_alloc_zeroed(sizeof *sink);
    if (sink == NULL)
        return arb_fail_memory(error, "a byte sink", sizeof *sink);
    sink->base = (arb_byte_sink){.vtable = &vtable, .path = ARB_STR("memory")};
    sink->text = text;
    *out_sink = &sink->base;
    return ARB_OK;
}
