#include "catalog/file_format.h"

static bool ends_with_nocase(arb_str text, arb_str suffix)
{
    return text.size > suffix.size &&
           arb_str_equal_nocase((arb_str){text.data + text.size - suffix.size, suffix.size}, suffix);
}

const arb_file_format *arb_file_format_of_path(const arb_file_formats *formats, arb_str path, size_t *out_stem_size)
{
    for (size_t i = 0; i < formats->count; i++) {
        const char *at = formats->items[i].suffixes;
        while (*at != '\0') {
            size_t size = strcspn(at, " ");
            if (ends_with_nocase(path, (arb_str){at, size})) {
                if (out_stem_size != NULL)
                    *out_stem_size = path.size - size;
                return &formats->items[i];
            }
            at += size + strspn(at + size, " ");
        }
    }
    return NULL;
}

const arb_file_format *arb_file_format_find(const arb_file_formats *formats, arb_str name)
{
    for (size_t i = 0; i < formats->count; i++)
        if (arb_str_equal_nocase(arb_str_of(formats->items[i].name), name))
            return &formats->items[i];
    return NULL;
}
