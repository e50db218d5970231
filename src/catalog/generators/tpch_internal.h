/* tpch_internal.h: what the files that fill the tables share. Not for others.
 *
 * A table's maker fills the batch with the rows of the next units, column by column: each column reads a stream of its
 * own, so a column is one tight loop. Which streams a table has, with their seeds, stands beside its maker. */
#ifndef ARB_CATALOG_TPCH_INTERNAL_H
#define ARB_CATALOG_TPCH_INTERNAL_H

#include "base/arena.h"
#include "catalog/generators/tpch_generator.h"
#include "catalog/generators/tpch_random.h"

#define ARB_TPCH_STREAMS_MAX 14
#define ARB_TPCH_LINES_MAX 7 /* of an order */
#define ARB_TPCH_PART_SUPPLIERS 4

/* Days since 1970-01-01. */
#define ARB_TPCH_DATE_FIRST 8035  /* 1992-01-01 */
#define ARB_TPCH_DATE_TODAY 9298  /* 1995-06-17, when the benchmark takes place: what is later has not happened yet */
#define ARB_TPCH_ORDER_DATES 2406 /* an order is placed on one of so many days, so that it can arrive in 1998 */

/* Average sizes of comments and addresses; each is between 0.4 and 1.6 times as long. */
#define ARB_TPCH_REGION_COMMENT 72
#define ARB_TPCH_NATION_COMMENT 72
#define ARB_TPCH_SUPPLIER_COMMENT 63
#define ARB_TPCH_CUSTOMER_COMMENT 73
#define ARB_TPCH_PART_COMMENT 14
#define ARB_TPCH_PARTSUPP_COMMENT 124
#define ARB_TPCH_ORDERS_COMMENT 49
#define ARB_TPCH_LINEITEM_COMMENT 27
#define ARB_TPCH_ADDRESS 25
#define ARB_TPCH_SIZE_MIN(average) ((average)*4 / 10)
#define ARB_TPCH_SIZE_MAX(average) ((average)*16 / 10)
/* The longest values of other texts. */
#define ARB_TPCH_PHONE_BYTES 15     /* 27-918-335-1736 */
#define ARB_TPCH_PART_NAME_BYTES 54 /* five colors of at most ten letters */

typedef struct arb_tpch_seed {
    uint32_t seed;
    uint32_t draws; /* per unit */
} arb_tpch_seed;

/* How many there are of what others refer to. */
typedef struct arb_tpch_counts {
    int64_t suppliers, customers, parts, orders, clerks;
} arb_tpch_counts;

/* What a maker adds to the public description of its table. */
typedef struct arb_tpch_maker {
    const arb_tpch_seed *seeds;
    size_t seed_count;
    /* Fill generator->batch with the rows of `units` units, the first of them generator->next_unit; there is room. */
    arb_code (*make)(arb_tpch_generator *generator, size_t units, arb_error *error);
} arb_tpch_maker;

extern const arb_tpch_maker arb_tpch_region_maker, arb_tpch_nation_maker, arb_tpch_supplier_maker,
    arb_tpch_customer_maker, arb_tpch_part_maker, arb_tpch_partsupp_maker, arb_tpch_orders_maker,
    arb_tpch_lineitem_maker;

struct arb_tpch_generator {
    const arb_tpch_maker *maker;
    arb_tpch_text *text; /* borrowed */
    arb_tpch_counts counts;
    int64_t next_unit, end_unit;
    size_t batch_rows;
    arb_tpch_stream streams[ARB_TPCH_STREAMS_MAX]; /* in the order of the maker's seeds, all before next_unit */
    arb_tpch_excerpt *excerpts;                    /* scratch, batch_rows of each */
    int32_t *scratch[2];
    uint8_t *line_counts;
    arb_tpch_batch batch;
    arb_arena memory; /* of the batch and the scratch */
};

arb_tpch_counts arb_tpch_counts_at(double scale);

/* Fill a comment column: the text of `rows_per_unit` excerpts a unit, whose sizes are around `average`. */
ARB_NODISCARD arb_code arb_tpch_comments_make(arb_tpch_generator *generator, unsigned stream, unsigned column,
                                              size_t units, unsigned rows_per_unit, uint32_t average, arb_error *error);
/* Cut generator->excerpts into a text column. */
ARB_NODISCARD arb_code arb_tpch_excerpts_cut(arb_tpch_generator *generator, unsigned column, size_t count,
                                             arb_error *error);

/* Draw one excerpt: its place first, then its size. The place leaves room for the longest one. */
ARB_INLINE arb_tpch_excerpt arb_tpch_excerpt_draw(uint32_t *cursor, uint32_t average)
{
    uint32_t min = ARB_TPCH_SIZE_MIN(average), max = ARB_TPCH_SIZE_MAX(average);
    uint32_t offset = (uint32_t)arb_tpch_pick_wide(cursor, ARB_TPCH_TEXT_BYTES - (int64_t)max + 1);
    return (arb_tpch_excerpt){offset, min + (uint32_t)arb_tpch_pick(cursor, max - min + 1)};
}

/* Write `value` with at least `digits_min` digits and return the end. At most 20 bytes. */
ARB_INLINE char *arb_tpch_write_number(char *to, uint64_t value, unsigned digits_min)
{
    char reversed[20];
    unsigned count = 0;
    for (; value != 0 || count < digits_min; value /= 10)
        reversed[count++] = (char)('0' + value % 10);
    while (count > 0)
        *to++ = reversed[--count];
    return to;
}

/* "Clerk#000000951": a text column's value that ends the column so far; its offset is known. */
ARB_INLINE void arb_tpch_write_name(arb_tpch_vector *column, size_t row, const char *prefix, int64_t number)
{
    char *to = column->text.bytes + column->text.offsets[row];
    size_t size = strlen(prefix);
    memcpy(to, prefix, size);
    to = arb_tpch_write_number(to + size, (uint64_t)number, 9);
    column->text.offsets[row + 1] = (int32_t)(to - column->text.bytes);
}

/* What a part costs, in hundredths. */
ARB_INLINE int64_t arb_tpch_part_price(int64_t part)
{
    return 90000 + part / 10 % 20001 + part % 1000 * 100;
}

/* The `number`-th (0 … 3) supplier of a part: the four are spread over all suppliers. */
ARB_INLINE int64_t arb_tpch_part_supplier(int64_t part, int64_t number, int64_t suppliers)
{
    return (part + number * (suppliers / ARB_TPCH_PART_SUPPLIERS + (part - 1) / suppliers)) % suppliers + 1;
}

/* Order keys are sparse: of each 32 numbers, the first eight are used. `order` counts from 1. */
ARB_INLINE int64_t arb_tpch_order_key(int64_t order)
{
    return (order >> 3 << 5) + (order & 7);
}

#endif
