/* file_format.h: how the catalog opens files of a format without knowing the format.
 *
 * The engine gives a list of these when it makes a catalog; tests may give their own. */
#ifndef ARB_CATALOG_FILE_FORMAT_H
#define ARB_CATALOG_FILE_FORMAT_H

#include "base/stop.h"
#include "catalog/file_options.h"
#include "formats/scan.h"
#include "io/byte_source.h"

typedef struct arb_file_format {
    const char *name;     /* "parquet": STORED AS, messages */
    const char *suffixes; /* ".parquet .parq", lower case, separated by spaces */
    /* Open and validate. Takes the source over, also on failure; ARB_CANCELLED soon after the flag is set. Options are
     * NULL where nothing is said. NULL: the format is known by name, but cannot be read. */
    arb_code (*open)(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                     arb_table_file **out_file, arb_error *error);
    /* Formats that guess their columns' types: the type that has the values of both. NULL: types are what they are. */
    arb_type (*common_type)(const arb_file_options *options, arb_type a, arb_type b);
} arb_file_format;

typedef struct arb_file_formats {
    const arb_file_format *items;
    size_t count;
} arb_file_formats;

/* By the name's end, case aside; NULL when none fits. `out_stem_size`, unless NULL, is the size without the suffix. */
const arb_file_format *arb_file_format_of_path(const arb_file_formats *formats, arb_str path, size_t *out_stem_size);
const arb_file_format *arb_file_format_find(const arb_file_formats *formats, arb_str name);

#endif
