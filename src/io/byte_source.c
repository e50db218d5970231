#include "io/byte_source.h"

#include "base/alloc.h"

arb_byte_source *arb_byte_source_share(const arb_byte_source *source)
{
    arb_byte_source *shared = (arb_byte_source *)(uintptr_t)source;
    atomic_fetch_add_explicit(&shared->shares, 1, memory_order_relaxed);
    return shared;
}

void arb_byte_source_destroy(arb_byte_source *source)
{
    if (source == NULL || atomic_fetch_sub_explicit(&source->shares, 1, memory_order_acq_rel) != 0)
        return;
    arb_reservation_reset(&source->held);
    source->vtable->destroy(source);
}

static arb_code check_range(const arb_byte_source *source, uint64_t offset, size_t size, arb_error *error)
{
    uint64_t total = source->identity.size;
    if (offset > total || size > total - offset)
        return arb_fail(error, ARB_CORRUPT_DATA, "%.*s: %zu bytes at offset %llu lie outside of the file's %llu bytes",
                        ARB_STR_ARGS(source->path), size, (unsigned long long)offset, (unsigned long long)total);
    return ARB_OK;
}

arb_code arb_byte_source_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size, arb_error *error)
{
    ARB_TRY(check_range(source, offset, size, error));
    return size == 0 ? ARB_OK : source->vtable->read(source, offset, to, size, error);
}

arb_code arb_byte_source_try_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size,
                                  size_t *out_got, arb_error *error)
{
    *out_got = 0;
    ARB_TRY(check_range(source, offset, size, error));
    if (size != 0 && source->vtable->try_read != NULL)
        *out_got = source->vtable->try_read(source, offset, to, size);
    else if (size == 0 || source->vtable->read(source, offset, to, size, NULL) == ARB_OK)
        *out_got = size;
    return ARB_OK;
}

void arb_byte_source_expect(const arb_byte_source *source, uint64_t offset, size_t size)
{
    uint64_t total = source->identity.size;
    if (source->vtable->expect != NULL && offset < total)
        source->vtable->expect(source, offset, (size_t)ARB_MIN(size, total - offset));
}

bool arb_source_identity_equal(arb_source_identity a, arb_source_identity b)
{
    return a.size == b.size && a.modified_ns == b.modified_ns && a.device == b.device && a.inode == b.inode;
}

/* ---- over memory --------------------------------------------------------------------------------------------- */

typedef struct memory_source {
    arb_byte_source base;
    const char *data;
    char name[];
} memory_source;

static void memory_destroy(arb_byte_source *source)
{
    arb_free(source);
}

static arb_code memory_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size, arb_error *error)
{
    (void)error;
    memcpy(to, ((const memory_source *)source)->data + offset, size);
    return ARB_OK;
}

arb_code arb_byte_source_open_memory(arb_str name, const void *data, size_t size, arb_byte_source **out_source,
                                     arb_error *error)
{
    static const arb_byte_source_vtable vtable = {.destroy = memory_destroy, .read = memory_read};
    memory_source *source = arb_alloc_zeroed(sizeof *source + name.size + 1);
    if (source == NULL)
        return arb_fail_memory(error, "a byte source", sizeof *source + name.size + 1);
    memcpy(source->name, name.data, name.size);
    source->data = data;
    source->base = (arb_byte_source){
        .vtable = &vtable, .path = {source->name, name.size}, .identity = {.size = size}, .read_ahead = 256 << 10};
    *out_source = &source->base;
    return ARB_OK;
}
