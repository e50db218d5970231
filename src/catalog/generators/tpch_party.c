/* supplier and customer: those who have a name, an address, a nation, a phone and an account. */
#include "catalog/generators/tpch_internal.h"

/* ---- what both have -------------------------------------------------------------------------------------------- */

/* Both tables' streams and columns begin so. */
enum { ADDRESS, NATION, PHONE, BALANCE, COMMENT, PARTY_STREAMS };
enum { KEY_COLUMN, NAME_COLUMN, ADDRESS_COLUMN, NATION_COLUMN, PHONE_COLUMN, BALANCE_COLUMN };

#define ADDRESS_DRAWS 9 /* the size, and one for each five of at most 40 characters */

/* A draw gives five characters of six bits each, lowest first. Its range is 2^31, which the definition gets as a
 * negative number, by overflow: the bits are those of the negated value. */
static uint32_t write_address(char *to, uint32_t cursor)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
    static_assert(sizeof alphabet == 64 + 1, "six bits choose a character");
    const uint32_t min = ARB_TPCH_SIZE_MIN(ARB_TPCH_ADDRESS), max = ARB_TPCH_SIZE_MAX(ARB_TPCH_ADDRESS);
    uint32_t size = min + (uint32_t)arb_tpch_pick(&cursor, max - min + 1);
    uint64_t bits = 0;
    for (uint32_t i = 0; i < size; i++, bits >>= 6) {
        if (i % 5 == 0)
            bits = -(uint64_t)arb_tpch_pick_wide(&cursor, (int64_t)1 << 31);
        to[i] = alphabet[bits & 63];
    }
    return size;
}

/* The country's code follows from the nation. */
static void write_phone(char *to, int64_t nation, uint32_t cursor)
{
    to = arb_tpch_write_number(to, (uint64_t)(10 + nation), 2);
    *to++ = '-';
    to = arb_tpch_write_number(to, (uint64_t)(100 + arb_tpch_pick(&cursor, 900)), 3);
    *to++ = '-';
    to = arb_tpch_write_number(to, (uint64_t)(100 + arb_tpch_pick(&cursor, 900)), 3);
    *to++ = '-';
    arb_tpch_write_number(to, (uint64_t)(1000 + arb_tpch_pick(&cursor, 9000)), 4);
}

static void make_parties(arb_tpch_generator *generator, size_t rows, const char *prefix)
{
    arb_tpch_vector *columns = generator->batch.columns;
    arb_tpch_stream *streams = generator->streams;
    for (size_t i = 0; i < rows; i++) {
        columns[KEY_COLUMN].int64[i] = generator->next_unit + (int64_t)i + 1;
        arb_tpch_write_name(&columns[NAME_COLUMN], i, prefix, columns[KEY_COLUMN].int64[i]);
    }
    for (size_t i = 0; i < rows; i++) {
        int32_t *offsets = columns[ADDRESS_COLUMN].text.offsets;
        char *to = columns[ADDRESS_COLUMN].text.bytes + offsets[i];
        offsets[i + 1] = offsets[i] + (int32_t)write_address(to, arb_tpch_stream_take(&streams[ADDRESS]));
    }
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[NATION]);
        columns[NATION_COLUMN].int64[i] = arb_tpch_pick(&cursor, 25);
    }
    for (size_t i = 0; i < rows; i++) {
        char *to = columns[PHONE_COLUMN].text.bytes + i * ARB_TPCH_PHONE_BYTES;
        write_phone(to, columns[NATION_COLUMN].int64[i], arb_tpch_stream_take(&streams[PHONE]));
        columns[PHONE_COLUMN].text.offsets[i + 1] = (int32_t)((i + 1) * ARB_TPCH_PHONE_BYTES);
    }
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[BALANCE]);
        columns[BALANCE_COLUMN].int64[i] = -99999 + arb_tpch_pick_wide(&cursor, 999999 + 99999 + 1);
    }
}

/* ---- customer -------------------------------------------------------------------------------------------------- */

enum { SEGMENT = PARTY_STREAMS, CUSTOMER_STREAMS };

static const arb_tpch_seed customer_seeds[CUSTOMER_STREAMS] = {
    [ADDRESS] = {881155353, ADDRESS_DRAWS},
    [NATION] = {1489529863, 1},
    [PHONE] = {1521138112, 3},
    [BALANCE] = {298370230, 1},
    [COMMENT] = {1335826707, 2},
    [SEGMENT] = {1140279430, 1},
};

static arb_code make_customers(arb_tpch_generator *generator, size_t rows, arb_error *error)
{
    make_parties(generator, rows, "Customer#");
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&generator->streams[SEGMENT]);
        generator->batch.columns[6].word[i] = (uint8_t)arb_tpch_pick(&cursor, arb_tpch_segments.size);
    }
    return arb_tpch_comments_make(generator, COMMENT, 7, rows, 1, ARB_TPCH_CUSTOMER_COMMENT, error);
}

const arb_tpch_maker arb_tpch_customer_maker = {customer_seeds, CUSTOMER_STREAMS, make_customers};

/* ---- supplier -------------------------------------------------------------------------------------------------- */

enum { IS_REVIEWED = PARTY_STREAMS, REVIEW_GAP, REVIEW_OFFSET, REVIEW_KIND, SUPPLIER_STREAMS };

static const arb_tpch_seed supplier_seeds[SUPPLIER_STREAMS] = {
    [ADDRESS] = {706178559, ADDRESS_DRAWS},
    [NATION] = {110356601, 1},
    [PHONE] = {884434366, 3},
    [BALANCE] = {962338209, 1},
    [COMMENT] = {1341315363, 2},
    [IS_REVIEWED] = {202794285, 1},
    [REVIEW_GAP] = {263032577, 1},
    [REVIEW_OFFSET] = {715851524, 1},
    [REVIEW_KIND] = {753643799, 1},
};

/* One supplier in a thousand has been reviewed: "Customer " and, some bytes behind it, "Complaints" or "Recommends"
 * replace that much of the comment. */
static void write_review(char *comment, uint32_t size, uint32_t gap_cursor, uint32_t offset_cursor,
                         uint32_t kind_cursor)
{
    static const char who[] = "Customer ", complaint[] = "Complaints", recommendation[] = "Recommends";
    const uint32_t who_size = sizeof who - 1, what_size = sizeof complaint - 1;
    assert(size >= who_size + what_size);
    uint32_t room = size - who_size - what_size;
    uint32_t gap = (uint32_t)arb_tpch_pick(&gap_cursor, room + 1);
    uint32_t offset = (uint32_t)arb_tpch_pick(&offset_cursor, room - gap + 1);
    bool complains = arb_tpch_pick(&kind_cursor, 101) < 50;
    memcpy(comment + offset, who, who_size);
    memcpy(comment + offset + who_size + gap, complains ? complaint : recommendation, what_size);
}

static arb_code make_suppliers(arb_tpch_generator *generator, size_t rows, arb_error *error)
{
    arb_tpch_stream *streams = generator->streams;
    make_parties(generator, rows, "Supplier#");
    ARB_TRY(arb_tpch_comments_make(generator, COMMENT, 6, rows, 1, ARB_TPCH_SUPPLIER_COMMENT, error));
    const arb_tpch_vector *comments = &generator->batch.columns[6];
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[IS_REVIEWED]);
        uint32_t gap = arb_tpch_stream_take(&streams[REVIEW_GAP]);
        uint32_t offset = arb_tpch_stream_take(&streams[REVIEW_OFFSET]);
        uint32_t kind = arb_tpch_stream_take(&streams[REVIEW_KIND]);
        if (arb_tpch_pick(&cursor, 10000) < 10)
            write_review(comments->text.bytes + comments->text.offsets[i], generator->excerpts[i].size, gap, offset,
                         kind);
    }
    return ARB_OK;
}

const arb_tpch_maker arb_tpch_supplier_maker = {supplier_seeds, SUPPLIER_STREAMS, make_suppliers};
