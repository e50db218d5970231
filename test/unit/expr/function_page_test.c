/* docs/functions.md has a line for every function and none for what does not exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "expr/function.h"

static arb_text read_page(void)
{
    arb_text page = {0};
    char part[4096];
    size_t size;
    FILE *file = fopen(ARB_SOURCE_DIR "/docs/functions.md", "r");
    assert_non_null(file);
    while ((size = fread(part, 1, sizeof part, file)) != 0)
        arb_text_append(&page, part, size);
    fclose(file);
    arb_text_append_char(&page, '\0');
    return page;
}

/* As the page writes a name: '|' is escaped in tables. */
static void append_name(arb_text *out, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '|')
            arb_text_append_char(out, '\\');
        arb_text_append_char(out, *name);
    }
}

static void expect_on_page(const char *page, const char *before, const char *name)
{
    arb_text wanted = {0};
    arb_text_append_str(&wanted, arb_str_of(before));
    append_name(&wanted, name);
    arb_text_append_char(&wanted, '`');
    arb_text_append_char(&wanted, '\0');
    if (strstr(page, wanted.data) == NULL)
        fail_msg("docs/functions.md does not mention %s", name);
    arb_text_reset(&wanted);
}

static void everything_is_listed(void **state)
{
    (void)state;
    arb_text page = read_page();
    const arb_function *function;
    arb_function_kind kind;
    const char *alias, *name;
    for (size_t i = 0; (function = arb_function_at(i)) != NULL; i++)
        expect_on_page(page.data, "\n| `", function->name);
    for (size_t i = 0; arb_function_alias_at(i, &kind, &alias, &name); i++) {
        expect_on_page(page.data, "`", alias);
        assert_non_null(arb_function_find(kind, arb_str_of(name)));
        assert_ptr_equal(arb_function_find(kind, arb_str_of(alias)), arb_function_find(kind, arb_str_of(name)));
    }
    arb_text_reset(&page);
}

static void nothing_else_is_listed(void **state)
{
    (void)state;
    arb_text page = read_page();
    const char *at = page.data;
    size_t lines = 0;
    while ((at = strstr(at, "\n| `")) != NULL) {
        char name[64];
        size_t size = 0;
        for (at += 4; *at != '`' && size < sizeof name; at++)
            if (*at != '\\')
                name[size++] = *at;
        arb_str listed = {name, size};
        if (arb_function_find(ARB_FUNCTION_SCALAR, listed) == NULL &&
            arb_function_find(ARB_FUNCTION_AGGREGATE, listed) == NULL)
            fail_msg("docs/functions.md lists %.*s, which does not exist", ARB_STR_ARGS(listed));
        lines++;
    }
    assert_true(lines > 100);
    arb_text_reset(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_is_listed),
                                       cmocka_unit_test(nothing_else_is_listed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
