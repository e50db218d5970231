/* orders, and lineitem: the one to seven lines of each order.
 *
 * An order's price and state follow from its lines, so both tables read the streams of the lines' numbers; the seeds of
 * those that both need stand in one list, which each begins with. */
#include "catalog/generators/tpch_internal.h"

enum { LINES, ORDER_DATE, QUANTITY, DISCOUNT, TAX, PART, SHIP_DAYS, SHARED_STREAMS };

#define PER_LINE ARB_TPCH_LINES_MAX
#define SHARED_SEEDS                                                                                    \
    [LINES] = {1434868289, 1}, [ORDER_DATE] = {1066728069, 1}, [QUANTITY] = {209208115, PER_LINE},      \
    [DISCOUNT] = {554590007, PER_LINE}, [TAX] = {721958466, PER_LINE}, [PART] = {1808217256, PER_LINE}, \
    [SHIP_DAYS] = {1769349045, PER_LINE}

/* Ranges of the draws: quantities 1 … 50, discounts 0.00 … 0.10, taxes 0.00 … 0.08, shipped after 1 … 121 days. */
#define QUANTITIES 50
#define DISCOUNTS 11
#define TAXES 9
#define SHIP_DAYS_MAX 121

/* ---- orders ---------------------------------------------------------------------------------------------------- */

enum { CUSTOMER = SHARED_STREAMS, PRIORITY, CLERK, ORDER_COMMENT, ORDER_STREAMS };

static const arb_tpch_seed orders_seeds[ORDER_STREAMS] = {
    SHARED_SEEDS,
    [CUSTOMER] = {851767375, 1},
    [PRIORITY] = {591449447, 1},
    [CLERK] = {1171034773, 1},
    [ORDER_COMMENT] = {276090261, 2},
};

/* A third of the customers, those whose key is a multiple of three, never order: their neighbour does. */
static int64_t draw_customer(uint32_t cursor, int64_t customers)
{
    int64_t customer = 1 + arb_tpch_pick_wide(&cursor, customers);
    if (customer % 3 != 0)
        return customer;
    return customer < customers ? customer + 1 : customer - 1;
}

/* The sum of what the lines cost with discount and tax, in hundredths, each cut to whole ones twice; and the state. */
static void make_totals(arb_tpch_generator *generator, size_t row)
{
    arb_tpch_vector *columns = generator->batch.columns;
    arb_tpch_stream *streams = generator->streams;
    uint32_t lines_cursor = arb_tpch_stream_take(&streams[LINES]);
    uint32_t quantities = arb_tpch_stream_take(&streams[QUANTITY]);
    uint32_t discounts = arb_tpch_stream_take(&streams[DISCOUNT]);
    uint32_t taxes = arb_tpch_stream_take(&streams[TAX]);
    uint32_t parts = arb_tpch_stream_take(&streams[PART]);
    uint32_t ship_days = arb_tpch_stream_take(&streams[SHIP_DAYS]);
    int32_t lines = 1 + arb_tpch_pick(&lines_cursor, ARB_TPCH_LINES_MAX), shipped = 0;
    int64_t total = 0;
    for (int32_t i = 0; i < lines; i++) {
        int64_t quantity = 1 + arb_tpch_pick(&quantities, QUANTITIES);
        int64_t discount = arb_tpch_pick(&discounts, DISCOUNTS);
        int64_t tax = arb_tpch_pick(&taxes, TAXES);
        int64_t price = arb_tpch_part_price(1 + arb_tpch_pick_wide(&parts, generator->counts.parts));
        int32_t ship_date = columns[4].int32[row] + 1 + arb_tpch_pick(&ship_days, SHIP_DAYS_MAX);
        total += quantity * price * (100 - discount) / 100 * (100 + tax) / 100;
        shipped += ship_date <= ARB_TPCH_DATE_TODAY;
    }
    columns[2].word[row] = shipped == lines ? ARB_TPCH_FULFILLED : shipped == 0 ? ARB_TPCH_OPEN : ARB_TPCH_PENDING;
    columns[3].int64[row] = total;
}

static arb_code make_orders(arb_tpch_generator *generator, size_t rows, arb_error *error)
{
    arb_tpch_vector *columns = generator->batch.columns;
    arb_tpch_stream *streams = generator->streams;
    for (size_t i = 0; i < rows; i++) {
        columns[0].int64[i] = arb_tpch_order_key(generator->next_unit + (int64_t)i + 1);
        columns[1].int64[i] = draw_customer(arb_tpch_stream_take(&streams[CUSTOMER]), generator->counts.customers);
        columns[7].int32[i] = 0;
    }
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[ORDER_DATE]);
        columns[4].int32[i] = ARB_TPCH_DATE_FIRST + arb_tpch_pick(&cursor, ARB_TPCH_ORDER_DATES);
        make_totals(generator, i);
    }
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[PRIORITY]);
        columns[5].word[i] = (uint8_t)arb_tpch_pick(&cursor, arb_tpch_priorities.size);
    }
    for (size_t i = 0; i < rows; i++) {
        uint32_t cursor = arb_tpch_stream_take(&streams[CLERK]);
        arb_tpch_write_name(&columns[6], i, "Clerk#", 1 + arb_tpch_pick_wide(&cursor, generator->counts.clerks));
    }
    return arb_tpch_comments_make(generator, ORDER_COMMENT, 8, rows, 1, ARB_TPCH_ORDERS_COMMENT, error);
}

const arb_tpch_maker arb_tpch_orders_maker = {orders_seeds, ORDER_STREAMS, make_orders};

/* ---- lineitem -------------------------------------------------------------------------------------------------- */

enum {
    SUPPLIER = SHARED_STREAMS,
    COMMIT_DAYS,
    RECEIPT_DAYS,
    RETURN_FLAG,
    INSTRUCTION,
    SHIP_MODE,
    LINE_COMMENT,
    LINEITEM_STREAMS
};

static const arb_tpch_seed lineitem_seeds[LINEITEM_STREAMS] = {
    SHARED_SEEDS,
    [SUPPLIER] = {2095021727, PER_LINE},
    [COMMIT_DAYS] = {904914315, PER_LINE},
    [RECEIPT_DAYS] = {373135028, PER_LINE},
    [RETURN_FLAG] = {717419739, PER_LINE},
    [INSTRUCTION] = {1371272478, PER_LINE},
    [SHIP_MODE] = {675466456, PER_LINE},
    [LINE_COMMENT] = {1095462486, 2 * PER_LINE},
};

/* Draw for each line, order by order: from 0 … range - 1. */
static void draw_lines(arb_tpch_stream *stream, const uint8_t *line_counts, size_t orders, uint32_t range, int32_t *out)
{
    for (size_t i = 0; i < orders; i++) {
        uint32_t cursor = arb_tpch_stream_take(stream);
        for (unsigned k = line_counts[i]; k > 0; k--)
            *out++ = arb_tpch_pick(&cursor, range);
    }
}

static void draw_line_words(arb_tpch_stream *stream, const uint8_t *line_counts, size_t orders, uint32_t range,
                            uint8_t *out)
{
    for (size_t i = 0; i < orders; i++) {
        uint32_t cursor = arb_tpch_stream_take(stream);
        for (unsigned k = line_counts[i]; k > 0; k--)
            *out++ = (uint8_t)arb_tpch_pick(&cursor, range);
    }
}

/* Order keys, line numbers, parts, and for each line its order's date. Returns the number of lines. */
static size_t make_lines(arb_tpch_generator *generator, size_t orders, int32_t *order_dates)
{
    arb_tpch_vector *columns = generator->batch.columns;
    size_t row = 0;
    for (size_t i = 0; i < orders; i++) {
        int64_t key = arb_tpch_order_key(generator->next_unit + (int64_t)i + 1);
        uint32_t date_cursor = arb_tpch_stream_take(&generator->streams[ORDER_DATE]);
        int32_t date = ARB_TPCH_DATE_FIRST + arb_tpch_pick(&date_cursor, ARB_TPCH_ORDER_DATES);
        uint32_t part_cursor = arb_tpch_stream_take(&generator->streams[PART]);
        for (int32_t number = 1; number <= generator->line_counts[i]; number++, row++) {
            columns[0].int64[row] = key;
            columns[1].int64[row] = 1 + arb_tpch_pick_wide(&part_cursor, generator->counts.parts);
            columns[3].int32[row] = number;
            order_dates[row] = date;
        }
    }
    return row;
}

/* Suppliers, quantities, prices, discounts, taxes. */
static void make_amounts(arb_tpch_generator *generator, size_t orders, size_t rows)
{
    arb_tpch_vector *columns = generator->batch.columns;
    const int64_t *parts = columns[1].int64;
    const uint8_t *line_counts = generator->line_counts;
    int32_t *drawn = generator->scratch[1];
    draw_lines(&generator->streams[SUPPLIER], line_counts, orders, ARB_TPCH_PART_SUPPLIERS, drawn);
    for (size_t i = 0; i < rows; i++)
        columns[2].int64[i] = arb_tpch_part_supplier(parts[i], drawn[i], generator->counts.suppliers);
    draw_lines(&generator->streams[QUANTITY], line_counts, orders, QUANTITIES, drawn);
    for (size_t i = 0; i < rows; i++) {
        columns[4].int64[i] = (1 + drawn[i]) * 100;
        columns[5].int64[i] = (1 + drawn[i]) * arb_tpch_part_price(parts[i]);
    }
    draw_lines(&generator->streams[DISCOUNT], line_counts, orders, DISCOUNTS, drawn);
    for (size_t i = 0; i < rows; i++)
        columns[6].int64[i] = drawn[i];
    draw_lines(&generator->streams[TAX], line_counts, orders, TAXES, drawn);
    for (size_t i = 0; i < rows; i++)
        columns[7].int64[i] = drawn[i];
}

/* When the line is shipped, promised and received, and the state that follows: what has not been received today can
 * neither have been returned nor accepted, and draws nothing. */
static void make_dates(arb_tpch_generator *generator, size_t orders, size_t rows, const int32_t *order_dates)
{
    arb_tpch_vector *columns = generator->batch.columns;
    const uint8_t *line_counts = generator->line_counts;
    int32_t *shipped = columns[10].int32, *promised = columns[11].int32, *received = columns[12].int32;
    draw_lines(&generator->streams[SHIP_DAYS], line_counts, orders, SHIP_DAYS_MAX, shipped);
    draw_lines(&generator->streams[COMMIT_DAYS], line_counts, orders, 90 - 30 + 1, promised);
    draw_lines(&generator->streams[RECEIPT_DAYS], line_counts, orders, 30, received);
    for (size_t i = 0; i < rows; i++) {
        shipped[i] += order_dates[i] + 1;
        promised[i] += order_dates[i] + 30;
        received[i] += shipped[i] + 1;
        columns[9].word[i] = shipped[i] <= ARB_TPCH_DATE_TODAY ? ARB_TPCH_FULFILLED : ARB_TPCH_OPEN;
    }
    size_t row = 0;
    for (size_t i = 0; i < orders; i++) {
        uint32_t cursor = arb_tpch_stream_take(&generator->streams[RETURN_FLAG]);
        for (size_t end = row + line_counts[i]; row < end; row++) {
            bool is_received = received[row] <= ARB_TPCH_DATE_TODAY;
            columns[8].word[row] = is_received ? (uint8_t)arb_tpch_pick(&cursor, 2) : ARB_TPCH_NEITHER;
        }
    }
}

static arb_code make_line_items(arb_tpch_generator *generator, size_t orders, arb_error *error)
{
    arb_tpch_batch *batch = &generator->batch;
    const uint8_t *line_counts = generator->line_counts;
    int32_t *order_dates = generator->scratch[0];
    size_t rows = make_lines(generator, orders, order_dates);
    assert(rows <= generator->batch_rows);
    batch->row_count = rows;
    make_amounts(generator, orders, rows);
    make_dates(generator, orders, rows, order_dates);
    draw_line_words(&generator->streams[INSTRUCTION], line_counts, orders, arb_tpch_instructions.size,
                    batch->columns[13].word);
    draw_line_words(&generator->streams[SHIP_MODE], line_counts, orders, arb_tpch_ship_modes.size,
                    batch->columns[14].word);
    arb_tpch_excerpt *excerpt = generator->excerpts;
    for (size_t i = 0; i < orders; i++) {
        uint32_t cursor = arb_tpch_stream_take(&generator->streams[LINE_COMMENT]);
        for (unsigned k = line_counts[i]; k > 0; k--)
            *excerpt++ = arb_tpch_excerpt_draw(&cursor, ARB_TPCH_LINEITEM_COMMENT);
    }
    return arb_tpch_excerpts_cut(generator, 15, rows, error);
}

const arb_tpch_maker arb_tpch_lineitem_maker = {lineitem_seeds, LINEITEM_STREAMS, make_line_items};
