/* region and nation: fixed rows, only their comments are drawn. */
#include "catalog/generators/tpch_internal.h"

/* Row i is about the word i; region and nation begin with key and name alike. */
static void make_names(arb_tpch_generator *generator, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        generator->batch.columns[0].int64[i] = generator->next_unit + (int64_t)i;
        generator->batch.columns[1].word[i] = (uint8_t)(generator->next_unit + (int64_t)i);
    }
}

static arb_code make_regions(arb_tpch_generator *generator, size_t rows, arb_error *error)
{
    make_names(generator, rows);
    return arb_tpch_comments_make(generator, 0, 2, rows, 1, ARB_TPCH_REGION_COMMENT, error);
}

static arb_code make_nations(arb_tpch_generator *generator, size_t rows, arb_error *error)
{
    make_names(generator, rows);
    for (size_t i = 0; i < rows; i++)
        generator->batch.columns[2].int64[i] = arb_tpch_nation_regions[generator->batch.columns[1].word[i]];
    return arb_tpch_comments_make(generator, 0, 3, rows, 1, ARB_TPCH_NATION_COMMENT, error);
}

static const arb_tpch_seed region_seeds[] = {{1500869201, 2}};
static const arb_tpch_seed nation_seeds[] = {{606179079, 2}};

const arb_tpch_maker arb_tpch_region_maker = {region_seeds, ARB_COUNT_OF(region_seeds), make_regions};
const arb_tpch_maker arb_tpch_nation_maker = {nation_seeds, ARB_COUNT_OF(nation_seeds), make_nations};
