#include "catalog/planned_file.h"

#include "columnar/value.h"

/* What comes behind the root's folder and a slash. */
static arb_str inside(const arb_planned_file *planned)
{
    size_t skip = planned->root->folder.size + (planned->root->folder.size != 1);
    return (arb_str){planned->path.data + skip, planned->path.size - skip};
}

static void print_version(arb_text *out, uint64_t size, int64_t modified_ns)
{
    arb_value time = {.type = {.id = ARB_TYPE_TIMESTAMP, .nanoseconds = true}, .integer = modified_ns};
    arb_text_printf(out, "%llu bytes of ", (unsigned long long)size);
    arb_value_print(out, &time);
}

static arb_code changed(const arb_planned_file *planned, const arb_text *there, arb_error *error)
{
    arb_text was = {0};
    print_version(&was, planned->version.size, planned->version.modified_ns);
    arb_code code =
        arb_fail(error, ARB_FILE_CHANGED, "%.*s in root \"%.*s\" (%.*s) is not the file that was planned",
                 ARB_STR_ARGS(inside(planned)), ARB_STR_ARGS(planned->root->name), ARB_STR_ARGS(planned->root->folder));
    arb_error_detail(error, "planned: %.*s, footer hash %016llx; there is %.*s", ARB_STR_ARGS(arb_text_view(&was)),
                     (unsigned long long)planned->version.footer_hash, ARB_STR_ARGS(arb_text_view(there)));
    arb_text_reset(&was);
    return code;
}

arb_code arb_planned_file_open(const arb_planned_file *planned, arb_byte_source **out_source, arb_error *error)
{
    arb_error why = {0};
    arb_text there = {0};
    arb_code code =
        arb_byte_source_open_beneath(planned->folder, inside(planned).data, planned->path, out_source, &why);
    if (code != ARB_OK && code != ARB_FILE_NOT_FOUND) {
        if (error != NULL)
            *error = why;
        arb_error_context(error, "root \"%.*s\"", ARB_STR_ARGS(planned->root->name));
        return code;
    }
    if (code == ARB_OK) {
        arb_source_identity found = (*out_source)->identity;
        if (found.size == planned->version.size && found.modified_ns == planned->version.modified_ns)
            return ARB_OK;
        print_version(&there, found.size, found.modified_ns);
        arb_byte_source_destroy(*out_source);
        *out_source = NULL;
    } else {
        arb_text_append_str(&there, ARB_STR("none"));
    }
    code = changed(planned, &there, error);
    arb_text_reset(&there);
    return code;
}

arb_code arb_planned_file_check_hash(const arb_planned_file *planned, uint64_t hash, arb_error *error)
{
    if (hash == planned->version.footer_hash)
        return ARB_OK;
    arb_text there = {0};
    arb_text_printf(&there, "the footer hash %016llx", (unsigned long long)hash);
    arb_code code = changed(planned, &there, error);
    arb_text_reset(&there);
    return code;
}
