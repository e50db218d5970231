#include "catalog/footer_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"

arb_code arb_footer_hash(const arb_byte_source *source, uint64_t *out_hash, arb_error *error)
{
    uint64_t total = source->identity.size;
    size_t size = (size_t)ARB_MIN(total, (uint64_t)ARB_FOOTER_HASH_BYTES);
    *out_hash = 0;
    void *bytes = arb_alloc(size);
    if (bytes == NULL)
        return arb_fail_memory(error, "a file's end", size);
    arb_code code = arb_byte_source_read(source, total - size, bytes, size, error);
    if (code == ARB_OK)
        *out_hash = XXH3_64bits(bytes, size);
    arb_free(bytes);
    return code;
}
