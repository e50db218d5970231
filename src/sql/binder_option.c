#include "sql/binder_option.h"

#include "sql/parser.h"

/* ---- finding ------------------------------------------------------------------------------------------------------ */
/* The next of some words that are separated by spaces; false at their end. */
static bool next_word(const char **at, arb_str *out)
{
    *at += strspn(*at, " ");
    *out = (arb_str){*at, strcspn(*at, " ")};
    *at += out->size;
    return out->size != 0;
}

static bool has_name(const arb_option_spec *spec, arb_str name)
{
    const char *at = spec->names;
    for (arb_str word; next_word(&at, &word);)
        if (arb_str_equal_nocase(word, name))
            return true;
    return false;
}

static arb_code unknown_option(arb_binder *b, const char *what, const arb_option_spec *specs, size_t count,
                               uint32_t uses, const arb_option *option)
{
    arb_str nearest = {0};
    unsigned best = option->name.size < 4 ? 1 : option->name.size < 8 ? 2 : 3;
    for (size_t i = 0; i < count; i++) {
        const char *at = specs[i].names;
        for (arb_str word; (specs[i].uses & uses) != 0 && next_word(&at, &word);) {
            unsigned distance = arb_str_distance(word, option->name, best);
            if (distance <= best && (nearest.size == 0 || distance < best)) {
                best = distance;
                nearest = word;
            }
        }
    }
    (void)arb_bind_fail(b, option->span, ARB_INVALID_PARAMETER, "%s has no option \"%.*s\"", what,
                        ARB_STR_ARGS(option->name));
    if (nearest.size != 0)
        arb_error_hint(b->error, "Did you mean %.*s?", ARB_STR_ARGS(nearest));
    return ARB_INVALID_PARAMETER;
}

arb_code arb_take_options(arb_binder *b, const char *what, const arb_option_spec *specs, size_t count, uint32_t uses,
                          const arb_option_list *options, void *target)
{
    bool *taken = ARB_ARENA_ARRAY(b->arena, bool, count);
    ARB_MADE(b, taken);
    for (size_t i = 0; i < options->size; i++) {
        const arb_option *option = &options->data[i];
        size_t at = 0;
        while (at < count && ((specs[at].uses & uses) == 0 || !has_name(&specs[at], option->name)))
            at++;
        if (at == count)
            return unknown_option(b, what, specs, count, uses, option);
        if (taken[at])
            return arb_bind_fail(b, option->span, ARB_INVALID_PARAMETER, "option \"%.*s\" is given twice",
                                 ARB_STR_ARGS(option->name));
        taken[at] = true;
        ARB_TRY(specs[at].take(b, option, target));
    }
    return ARB_OK;
}

arb_code arb_list_options(arb_binder *b, const arb_ast_options *syntax, arb_option_list *out)
{
    *out = (arb_option_list){0};
    for (size_t i = 0; i < syntax->size; i++) {
        const arb_ast_option *option = &syntax->data[i];
        ARB_PUSH(b, out, (arb_option){.name = option->name.text, .span = option->name.span, .value = option->value});
    }
    return ARB_OK;
}

arb_code arb_take_format_option(arb_binder *b, arb_option_list *options, arb_str *format)
{
    size_t kept = 0;
    for (size_t i = 0; i < options->size; i++) {
        const arb_option *option = &options->data[i];
        if (!arb_str_equal_nocase(option->name, ARB_STR("format"))) {
            options->data[kept++] = *option;
            continue;
        }
        if (format->size != 0)
            return arb_bind_fail(b, option->span, ARB_INVALID_PARAMETER, "the format is given twice");
        ARB_TRY(arb_option_text(b, option, format));
    }
    options->size = kept;
    return ARB_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------- */
arb_code arb_option_fail(arb_binder *b, const arb_option *option, const char *what)
{
    return arb_bind_fail(b, option->value != NULL ? option->value->span : option->span, ARB_INVALID_PARAMETER,
                         "option \"%.*s\" must be %s", ARB_STR_ARGS(option->name), what);
}

/* Lists and structs are no values of an option that has one. */
static arb_code read_value(arb_binder *b, const arb_option *option, const char *what, arb_value *out)
{
    const arb_ast_expr *value = option->value;
    if (value == NULL || value->kind == ARB_AST_ROW || value->kind == ARB_AST_LIST || value->kind == ARB_AST_STRUCT)
        return arb_option_fail(b, option, what);
    ARB_TRY(arb_bind_option_value(b, value, out));
    return out->is_null ? arb_option_fail(b, option, what) : ARB_OK;
}

arb_code arb_option_flag(arb_binder *b, const arb_option *option, bool *out)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "0", "1", "f", "t"};
    static const char what[] = "true or false";
    arb_value value;
    *out = true;
    if (option->value == NULL)
        return ARB_OK;
    ARB_TRY(read_value(b, option, what, &value));
    if (value.type.id == ARB_TYPE_BOOLEAN) {
        *out = value.boolean;
        return ARB_OK;
    }
    if (arb_type_is_integer(value.type) && (value.integer == 0 || value.integer == 1)) {
        *out = value.integer == 1;
        return ARB_OK;
    }
    for (size_t i = 0; value.type.id == ARB_TYPE_VARCHAR && i < ARB_COUNT_OF(words); i++)
        if (arb_str_equal_nocase(value.text, arb_str_of(words[i]))) {
            *out = i % 2 == 1;
            return ARB_OK;
        }
    return arb_option_fail(b, option, what);
}

arb_code arb_option_integer(arb_binder *b, const arb_option *option, int64_t low, int64_t high, int64_t *out)
{
    arb_value value;
    ARB_TRY(read_value(b, option, "a whole number", &value));
    if (!arb_type_is_integer(value.type))
        return arb_option_fail(b, option, "a whole number");
    if (value.integer < low || value.integer > high)
        return arb_bind_fail(b, option->value->span, ARB_INVALID_PARAMETER,
                             "option \"%.*s\" must be a number from %lld to %lld", ARB_STR_ARGS(option->name),
                             (long long)low, (long long)high);
    *out = (int64_t)value.integer;
    return ARB_OK;
}

arb_code arb_option_text(arb_binder *b, const arb_option *option, arb_str *out)
{
    arb_value value;
    ARB_TRY(read_value(b, option, "a text", &value));
    if (value.type.id != ARB_TYPE_VARCHAR)
        return arb_option_fail(b, option, "a text");
    *out = value.text;
    return ARB_OK;
}

arb_code arb_option_texts(arb_binder *b, const arb_option *option, const arb_str **out, size_t *out_count)
{
    const arb_ast_expr *value = option->value;
    const arb_ast_exprs *elements = value == NULL                 ? NULL
                                    : value->kind == ARB_AST_ROW  ? &arb_ast_as_row(value)->elements
                                    : value->kind == ARB_AST_LIST ? &arb_ast_as_list(value)->elements
                                                                  : NULL;
    *out_count = elements != NULL ? elements->size : 1;
    arb_str *texts = ARB_ARENA_ARRAY(b->arena, arb_str, *out_count + 1);
    ARB_MADE(b, texts);
    *out = texts;
    if (elements == NULL)
        return arb_option_text(b, option, texts);
    for (size_t i = 0; i < elements->size; i++) {
        arb_option element = {.name = option->name, .span = option->span, .value = elements->data[i]};
        ARB_TRY(arb_option_text(b, &element, &texts[i]));
    }
    return ARB_OK;
}

arb_code arb_option_byte(arb_binder *b, const arb_option *option, char *out)
{
    arb_str text;
    ARB_TRY(arb_option_text(b, option, &text));
    if (arb_str_equal(text, ARB_STR("\\t")))
        text = ARB_STR("\t");
    if (text.size > 1 || (text.size == 1 && ((unsigned char)text.data[0] >= 0x80 || text.data[0] == '\n' ||
                                             text.data[0] == '\r' || text.data[0] == '\0')))
        return arb_option_fail(b, option, "one ASCII character that ends no line");
    *out = text.size == 0 ? '\0' : text.data[0];
    return ARB_OK;
}

arb_code arb_option_word(arb_binder *b, const arb_option *option, const char *const *words, size_t count,
                         const char *what, size_t *out)
{
    arb_str text;
    ARB_TRY(arb_option_text(b, option, &text));
    for (*out = 0; *out < count; ++*out)
        if (arb_str_equal_nocase(text, arb_str_of(words[*out])))
            return ARB_OK;
    return arb_option_fail(b, option, what);
}

/* A type as a text: parsed apart, so errors in it stand at the text. */
static arb_code read_type(arb_binder *b, const arb_option *option, const arb_ast_expr *syntax, arb_type *out)
{
    const arb_option element = {.name = option->name, .span = option->span, .value = syntax};
    const arb_ast_type *type;
    arb_str text;
    ARB_TRY(arb_option_text(b, &element, &text));
    arb_code code = arb_sql_parse_type(b->arena, text, &type, b->error);
    if (code == ARB_OK)
        code = arb_bind_type(b, type, out, NULL);
    if (code != ARB_OK && b->error != NULL)
        b->error->position = arb_bind_position(b, syntax->span);
    return code;
}

arb_code arb_option_types(arb_binder *b, const arb_option *option, const arb_csv_column_type **out, size_t *out_count)
{
    static const char what[] = "types by name, {'a': 'INTEGER'}, or by place, ['INTEGER']";
    const arb_ast_expr *value = option->value;
    bool by_name = value != NULL && value->kind == ARB_AST_STRUCT;
    if (value == NULL || (!by_name && value->kind != ARB_AST_LIST && value->kind != ARB_AST_ROW))
        return arb_option_fail(b, option, what);
    *out_count = by_name                       ? arb_ast_as_struct(value)->fields.size
                 : value->kind == ARB_AST_LIST ? arb_ast_as_list(value)->elements.size
                                               : arb_ast_as_row(value)->elements.size;
    arb_csv_column_type *types = ARB_ARENA_ARRAY(b->arena, arb_csv_column_type, *out_count + 1);
    ARB_MADE(b, types);
    *out = types;
    for (size_t i = 0; i < *out_count; i++) {
        const arb_ast_expr *type = by_name                       ? arb_ast_as_struct(value)->fields.data[i].value
                                   : value->kind == ARB_AST_LIST ? arb_ast_as_list(value)->elements.data[i]
                                                                 : arb_ast_as_row(value)->elements.data[i];
        if (by_name)
            types[i].name = arb_ast_as_struct(value)->fields.data[i].name.text;
        if (by_name && types[i].name.size == 0)
            return arb_option_fail(b, option, what);
        ARB_TRY(read_type(b, option, type, &types[i].type));
    }
    return ARB_OK;
}
