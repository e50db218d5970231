#include <errno.h>

#include "base/alloc.h"
#include "columnar/arrow_c_interface.h"

/* ---- import --------------------------------------------------------------------------------------------------- */

typedef struct foreign_stream {
    arb_arrow_stream base;
    struct ArrowArrayStream stream;
    arb_arrow_schema *schema; /* one count */
    bool ended;
} foreign_stream;

static arb_code failed(foreign_stream *foreign, int errno_value, arb_error *error)
{
    const char *why = foreign->stream.get_last_error(&foreign->stream);
    arb_code code = errno_value == ENOMEM      ? ARB_OUT_OF_MEMORY
                    : errno_value == EIO       ? ARB_IO
                    : errno_value == ECANCELED ? ARB_CANCELLED
                    : errno_value == ENOSYS    ? ARB_NOT_SUPPORTED
                                               : ARB_CORRUPT_DATA;
    return arb_fail(error, code, "a stream of Arrow arrays failed: %.700s", why != NULL ? why : strerror(errno_value));
}

static arb_code foreign_next(arb_arrow_stream *stream, arb_arrow_array **out_array, arb_error *error)
{
    foreign_stream *foreign = (foreign_stream *)stream;
    if (foreign->ended)
        return ARB_OK;
    struct ArrowArray array = {0};
    int result = foreign->stream.get_next(&foreign->stream, &array);
    if (result != 0)
        return failed(foreign, result, error);
    foreign->ended = array.release == NULL;
    return foreign->ended ? ARB_OK : arb_arrow_array_import(&array, foreign->schema, out_array, error);
}

static void foreign_destroy(arb_arrow_stream *stream)
{
    foreign_stream *foreign = (foreign_stream *)stream;
    foreign->stream.release(&foreign->stream);
    arb_arrow_schema_unref(foreign->schema);
    arb_free(foreign);
}

arb_code arb_arrow_stream_import(struct ArrowArrayStream *stream, arb_arrow_stream **out_stream, arb_error *error)
{
    static const arb_arrow_stream_vtable vtable = {foreign_destroy, foreign_next};
    *out_stream = NULL;
    if (stream->release == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a stream of Arrow arrays has been released already");
    foreign_stream *foreign = arb_alloc_zeroed(sizeof *foreign);
    if (foreign == NULL) {
        stream->release(stream);
        stream->release = NULL;
        return arb_fail_memory(error, "a stream", sizeof *foreign);
    }
    foreign->stream = *stream;
    stream->release = NULL;
    foreign->base.vtable = &vtable;
    struct ArrowSchema schema = {0};
    int result = foreign->stream.get_schema(&foreign->stream, &schema);
    arb_code code =
        result != 0 ? failed(foreign, result, error) : arb_arrow_schema_import(&schema, &foreign->schema, error);
    if (code != ARB_OK) {
        foreign_destroy(&foreign->base);
        return code;
    }
    foreign->base.schema = foreign->schema;
    *out_stream = &foreign->base;
    return ARB_OK;
}

/* ---- export --------------------------------------------------------------------------------------------------- */

typedef struct exported {
    arb_arrow_stream *stream;
    arb_error error; /* of the last call */
} exported;

static int errno_of(arb_code code)
{
    switch (code) {
    case ARB_OK:
        return 0;
    case ARB_OUT_OF_MEMORY:
        return ENOMEM;
    case ARB_IO:
    case ARB_CONNECTION_FAILED:
    case ARB_DISK_FULL:
        return EIO;
    case ARB_CANCELLED:
        return ECANCELED;
    case ARB_NOT_SUPPORTED:
        return ENOSYS;
    default:
        return EINVAL;
    }
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    exported *owned = stream->private_data;
    arb_error_clear(&owned->error);
    return errno_of(arb_arrow_schema_export(owned->stream->schema, out, &owned->error));
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    exported *owned = stream->private_data;
    arb_error_clear(&owned->error);
    *out = (struct ArrowArray){0};
    arb_arrow_array *array;
    arb_code code = arb_arrow_stream_next(owned->stream, &array, &owned->error);
    if (code == ARB_OK && array != NULL) {
        code = arb_arrow_array_export(array, out, &owned->error);
        arb_arrow_array_unref(array);
    }
    return errno_of(code);
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    const exported *owned = stream->private_data;
    return owned->error.code != ARB_OK ? owned->error.message : NULL;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    exported *owned = stream->private_data;
    stream->release = NULL;
    arb_arrow_stream_destroy(owned->stream);
    arb_free(owned);
}

arb_code arb_arrow_stream_export(arb_arrow_stream *stream, struct ArrowArrayStream *out_stream, arb_error *error)
{
    *out_stream = (struct ArrowArrayStream){0};
    exported *owned = arb_alloc_zeroed(sizeof *owned);
    if (owned == NULL) {
        arb_arrow_stream_destroy(stream);
        return arb_fail_memory(error, "a stream", sizeof *owned);
    }
    owned->stream = stream;
    *out_stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, owned};
    return ARB_OK;
}
