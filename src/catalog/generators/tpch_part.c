/* part, and partsupp: the four suppliers of each part. */
#include "catalog/generators/tpch_internal.h"

/* ---- part ------------------------------------------------------------------------------------------------------ */

enum { NAME, MANUFACTURER, BRAND, TYPE, SIZE, CONTAINER, COMMENT, PART_STREAMS };

#define NAME_WORDS 5
#define COLOR_COUNT 92

static const arb_tpch_seed part_seeds[PART_STREAMS] = {
    [NAME] = {709314158, COLOR_COUNT}, /* as if all colors were shuffled, though five draws are used */
    [MANUFACTURER] = {1, 1},           [BRAND] = {46831694, 1},      [TYPE] = {1841581359, 1},
    [SIZE] = {1193163244, 1},          [CONTAINER] = {727633698, 1}, [COMMENT] = {804159733, 2},
};

/* Five different colors: the first steps of a shuffle of all. `order` is the sorted order, and is again when done. */
static char *write_name(char *to, uint8_t *order, uint32_t cursor)
{
    uint32_t from[NAME_WORDS];
    for (uint32_t i = 0; i < NAME_WORDS; i++) {
        from[i] = i + (uint32_t)arb_tpch_pick(&cursor, COLOR_COUNT - i);
        uint8_t color = order[from[i]];
        order[from[i]] = order[i];
        order[i] = color;
        arb_str word = arb_tpch_colors.data[color];
        if (i > 0)
            *to++ = ' ';
        memcpy(to, word.data, word.size);
        to += word.size;
    }
    for (uint32_t i = NAME_WORDS; i-- > 0;) {
        uint8_t color = order[from[i]];
        order[from[i]] = order[i];
        order[i] = color;
    }
    return to;
}

static void make_names(arb_tpch_stream *stream, arb_tpch_vector *column, size_t rows)
{
    uint8_t order[COLOR_COUNT];
    assert(arb_tpch_colors.size == COLOR_COUNT);
    for (unsigned i = 0; i < COLOR_COUNT; i++)
        order[i] = (uint8_t)i;
    char *to = column->text.bytes;
    for (size_t i = 0; i < rows; i++) {
        to = write_name(to, order, arb_tpch_stream_take(stream));
        column->text.offsets[i + 1] = (int32_t)(to - column->text.bytes);
    }
}

/* One equally likely word a row. */
static void make_words(arb_tpch_stream *stream, arb_tpch_words words, uint8_t *column, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(stream);
        column[i] = (uint8_t)arb_tpch_pick(&cursor, words.size);
    }
}

static arb_code make_parts(arb_tpch_generator *generator, size_t rows, arb_error *error)
{
    arb_tpch_vector *columns = generator->batch.columns;
    arb_tpch_stream *streams = generator->streams;
    for (size_t i = 0; i < rows; i++) {
        columns[0].int64[i] = generator->next_unit + (int64_t)i + 1;
        columns[7].int64[i] = arb_tpch_part_price(columns[0].int64[i]);
    }
    make_names(&streams[NAME], &columns[1], rows);
    make_words(&streams[MANUFACTURER], arb_tpch_manufacturers, columns[2].word, rows);
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[BRAND]); /* each manufacturer has five brands of its own */
        columns[3].word[i] = (uint8_t)(columns[2].word[i] * 5 + arb_tpch_pick(&cursor, 5));
    }
    make_words(&streams[TYPE], arb_tpch_part_types, columns[4].word, rows);
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[SIZE]);
        columns[5].int32[i] = 1 + arb_tpch_pick(&cursor, 50);
    }
    make_words(&streams[CONTAINER], arb_tpch_containers, columns[6].word, rows);
    return arb_tpch_comments_make(generator, COMMENT, 8, rows, 1, ARB_TPCH_PART_COMMENT, error);
}

const arb_tpch_maker arb_tpch_part_maker = {part_seeds, PART_STREAMS, make_parts};

/* ---- partsupp -------------------------------------------------------------------------------------------------- */

enum { QUANTITY, COST, SUPPLY_COMMENT, PARTSUPP_STREAMS };

static const arb_tpch_seed partsupp_seeds[PARTSUPP_STREAMS] = {
    [QUANTITY] = {1671059989, ARB_TPCH_PART_SUPPLIERS},
    [COST] = {1051288424, ARB_TPCH_PART_SUPPLIERS},
    [SUPPLY_COMMENT] = {1961692154, 2 * ARB_TPCH_PART_SUPPLIERS},
};

static arb_code make_part_suppliers(arb_tpch_generator *generator, size_t parts, arb_error *error)
{
    arb_tpch_vector *columns = generator->batch.columns;
    for (size_t i = 0, row = 0; i < parts; i++) {
        int64_t part = generator->next_unit + (int64_t)i + 1;
        uint32_t quantity = arb_tpch_stream_take(&generator->streams[QUANTITY]);
        uint32_t cost = arb_tpch_stream_take(&generator->streams[COST]);
        for (int64_t number = 0; number < ARB_TPCH_PART_SUPPLIERS; number++, row++) {
            columns[0].int64[row] = part;
            columns[1].int64[row] = arb_tpch_part_supplier(part, number, generator->counts.suppliers);
            columns[2].int32[row] = 1 + arb_tpch_pick(&quantity, 9999);
            columns[3].int64[row] = 100 + arb_tpch_pick(&cost, 100000 - 100 + 1);
        }
    }
    return arb_tpch_comments_make(generator, SUPPLY_COMMENT, 4, parts, ARB_TPCH_PART_SUPPLIERS,
                                  ARB_TPCH_PARTSUPP_COMMENT, error);
}

const arb_tpch_maker arb_tpch_partsupp_maker = {partsupp_seeds, PARTSUPP_STREAMS, make_part_suppliers};
