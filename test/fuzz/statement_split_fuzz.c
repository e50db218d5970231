/* A script cut into statements, without and with parsing it: both see the same ones. A statement that has come whole is
 * found as soon as its semicolon is there, whatever follows.
 *
 * Input: a script. */
#include "fuzz_input.h"
#include "sql/parser.h"
#include "sql/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_str script = {(const char *)data, size};
    arb_arena arena = {0};
    arb_error error = {0};
    arb_ast_statements all = {0};
    bool sound = arb_sql_parse(&arena, script, &all, &error) == ARB_OK;
    size_t count = 0, at = 0;
    arb_sql_extent extent;
    bool every_one_terminated = true;
    while (arb_sql_statement_next(script, at, &extent)) {
        FUZZ_REQUIRE(at <= extent.begin && extent.begin <= extent.end && extent.end <= extent.next);
        FUZZ_REQUIRE(extent.next <= size && extent.next > at);
        FUZZ_REQUIRE(!extent.terminated || script.data[extent.next - 1] == ';');
        FUZZ_REQUIRE(extent.complete || !extent.terminated);
        FUZZ_REQUIRE(extent.terminated || extent.next == size);
        if (extent.terminated) {
            arb_sql_extent early;
            FUZZ_REQUIRE(arb_sql_statement_next((arb_str){script.data, extent.next}, at, &early));
            FUZZ_REQUIRE(early.begin == extent.begin && early.end == extent.end && early.next == extent.next);
        }
        every_one_terminated &= extent.terminated;
        if (sound) {
            const arb_ast_statement *one;
            arb_str text = {script.data + extent.begin, extent.end - extent.begin};
            FUZZ_REQUIRE(extent.complete);
            FUZZ_REQUIRE(arb_sql_parse_one(&arena, text, &one, &error) == ARB_OK);
            FUZZ_REQUIRE(count < all.size && one->kind == all.data[count]->kind);
        }
        count++;
        at = extent.next;
    }
    FUZZ_REQUIRE(!sound || count == all.size);
    FUZZ_REQUIRE(arb_sql_is_complete(script) == every_one_terminated);
    arb_arena_reset(&arena);
    return 0;
}
