/* scope.c: names are looked up from the inside out; in one scope a name must be unambiguous. */
#include "sql/scope.h"

#include "sql/binder_internal.h"

bool arb_name_matches(const arb_ast_name *written, arb_str shown)
{
    return written->quoted ? arb_str_equal(written->text, shown) : arb_str_equal_nocase(written->text, shown);
}

/* The last parts of s.t.a; table and schema are NULL where they are not given. */
typedef struct column_name {
    const arb_ast_name *schema, *table, *column;
} column_name;

static bool table_matches(const column_name *name, const arb_scope_table *table)
{
    if (name->table == NULL)
        return true;
    return table != NULL && arb_name_matches(name->table, table->alias) &&
           (name->schema == NULL || arb_name_matches(name->schema, table->schema));
}

static bool same_column(const arb_scope_column *a, const arb_scope_column *b)
{
    return a->table == b->table && a->expr->kind == ARB_EXPR_COLUMN && b->expr->kind == ARB_EXPR_COLUMN &&
           a->expr->column == b->expr->column;
}

/* Names that differ by case only are told apart by how they are written. */
static arb_code find_in(arb_binder *b, const arb_namespace *names, const column_name *name,
                        const arb_scope_column **out)
{
    const arb_scope_column *found = NULL, *exact = NULL;
    bool ambiguous = false, ambiguous_exact = false;
    *out = NULL;
    for (size_t i = 0; i < names->columns.size; i++) {
        const arb_scope_column *column = &names->columns.data[i];
        if ((name->table == NULL && column->only_qualified) || !table_matches(name, column->table) ||
            !arb_name_matches(name->column, column->name))
            continue;
        ambiguous |= found != NULL && !same_column(found, column);
        found = column;
        if (!arb_str_equal(name->column->text, column->name))
            continue;
        ambiguous_exact |= exact != NULL && !same_column(exact, column);
        exact = column;
    }
    if (exact != NULL && ambiguous && !ambiguous_exact && found->table == exact->table) {
        ambiguous = false;
        found = exact;
    }
    if (ambiguous) {
        (void)arb_bind_fail(b, name->column->span, ARB_AMBIGUOUS_COLUMN, "column \"%.*s\" is ambiguous",
                            ARB_STR_ARGS(name->column->text));
        if (name->table == NULL && found->table != NULL && found->table->alias.size != 0)
            arb_error_hint(b->error, "say which table is meant: %.*s.%.*s", ARB_STR_ARGS(found->table->alias),
                           ARB_STR_ARGS(found->name));
        return ARB_AMBIGUOUS_COLUMN;
    }
    *out = found;
    return ARB_OK;
}

arb_code arb_namespace_find(arb_binder *b, const arb_namespace *names, const arb_ast_name *name,
                            const arb_scope_column **out)
{
    return find_in(b, names, &(column_name){.column = name}, out);
}

/* ---- what does not exist ------------------------------------------------------------------------------------------ */
typedef struct nearest_name {
    arb_str wanted, best;
    unsigned limit; /* distances beyond are too far */
} nearest_name;

static void consider(nearest_name *nearest, arb_str candidate)
{
    if (candidate.size == 0 || arb_str_equal(candidate, nearest->wanted))
        return;
    unsigned distance = arb_str_distance(nearest->wanted, candidate, nearest->limit);
    if (distance > nearest->limit || (distance == nearest->limit && nearest->best.size != 0))
        return;
    nearest->best = candidate;
    nearest->limit = distance;
}

static nearest_name nearest_to(arb_str wanted)
{
    unsigned limit = wanted.size <= 1 ? 0 : wanted.size <= 3 ? 1 : wanted.size <= 6 ? 2 : 3;
    return (nearest_name){.wanted = wanted, .limit = limit};
}

static void propose(arb_binder *b, const nearest_name *nearest)
{
    if (nearest->best.size != 0)
        arb_error_hint(b->error, "did you mean \"%.*s\"?", ARB_STR_ARGS(nearest->best));
}

arb_code arb_scope_fail_unknown(arb_binder *b, const arb_scope *scope, const arb_ast_name *name)
{
    nearest_name nearest = nearest_to(name->text);
    for (const arb_scope *s = scope; s != NULL; s = s->parent) {
        for (size_t i = 0; i < s->names.columns.size; i++)
            consider(&nearest, s->names.columns.data[i].name);
        for (size_t i = 0; s->items != NULL && i < s->items->size; i++)
            consider(&nearest, s->items->data[i].alias.text);
    }
    (void)arb_bind_fail(b, name->span, ARB_UNDEFINED_COLUMN, "column \"%.*s\" does not exist",
                        ARB_STR_ARGS(name->text));
    propose(b, &nearest);
    return ARB_UNDEFINED_COLUMN;
}

static arb_code fail_unknown_in_table(arb_binder *b, const arb_scope *scope, const column_name *name)
{
    nearest_name nearest = nearest_to(name->column->text);
    for (size_t i = 0; i < scope->names.columns.size; i++) {
        if (table_matches(name, scope->names.columns.data[i].table))
            consider(&nearest, scope->names.columns.data[i].name);
    }
    (void)arb_bind_fail(b, name->column->span, ARB_UNDEFINED_COLUMN, "column %.*s.%.*s does not exist",
                        ARB_STR_ARGS(name->table->text), ARB_STR_ARGS(name->column->text));
    propose(b, &nearest);
    return ARB_UNDEFINED_COLUMN;
}

static arb_code fail_unknown_table(arb_binder *b, const arb_scope *scope, const arb_ast_name *table)
{
    nearest_name nearest = nearest_to(table->text);
    for (const arb_scope *s = scope; s != NULL; s = s->parent) {
        for (size_t i = 0; i < s->names.tables.size; i++)
            consider(&nearest, s->names.tables.data[i]->alias);
    }
    (void)arb_bind_fail(b, table->span, ARB_UNDEFINED_TABLE, "there is no table \"%.*s\" in this FROM clause",
                        ARB_STR_ARGS(table->text));
    propose(b, &nearest);
    return ARB_UNDEFINED_TABLE;
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */
static arb_code note_correlated(arb_binder *b, arb_scope *scope, const arb_expr *expr, int64_t position)
{
    if (expr->kind == ARB_EXPR_COLUMN)
        ARB_PUSH(b, &scope->correlated, (arb_correlated_use){.id = expr->column, .position = position});
    for (size_t i = 0; i < expr->child_count; i++)
        ARB_TRY(note_correlated(b, scope, expr->children[i], position));
    return ARB_OK;
}

static arb_code use(arb_binder *b, arb_scope *from, arb_scope *scope, const arb_scope_column *column, arb_ast_span span,
                    const arb_expr **out)
{
    int64_t position = arb_bind_position(b, span);
    if (scope != from && scope->clause != NULL && scope->clause->grouped)
        ARB_TRY(note_correlated(b, scope, column->expr, position));
    for (arb_aggregate_frame *frame = b->frame; frame != NULL; frame = frame->outer) {
        if (scope->depth <= frame->scope->depth)
            frame->nearest = ARB_MAX(frame->nearest, scope->depth);
    }
    *out = column->expr;
    if (column->expr->kind != ARB_EXPR_COLUMN)
        return ARB_OK;
    return arb_bind_column_expr(b, column->expr->column, span, out);
}

static bool has_table(const arb_scope *scope, const column_name *name)
{
    for (size_t i = 0; i < scope->names.tables.size; i++) {
        if (table_matches(name, scope->names.tables.data[i]))
            return true;
    }
    return false;
}

/* The column that the name's first parts give, the rest being fields of a struct. */
static arb_code refuse_fields(arb_binder *b, const arb_scope *scope, const arb_ast_column *column)
{
    for (const arb_scope *s = scope; s != NULL; s = s->parent) {
        const arb_scope_column *found;
        ARB_TRY(arb_namespace_find(b, &s->names, &column->parts.data[0], &found));
        if (found != NULL && found->expr->type.id == ARB_TYPE_STRUCT)
            return arb_bind_fail(b, column->base.span, ARB_NOT_SUPPORTED, "fields of structs are not supported");
    }
    return ARB_OK;
}

arb_code arb_scope_find(arb_binder *b, arb_scope *scope, const arb_ast_column *column, const arb_expr **out)
{
    size_t count = column->parts.size;
    const arb_ast_name *parts = column->parts.data;
    column_name name = {
        .schema = count > 2 ? &parts[count - 3] : NULL,
        .table = count > 1 ? &parts[count - 2] : NULL,
        .column = &parts[count - 1],
    };
    *out = NULL;
    for (arb_scope *s = scope; s != NULL; s = s->parent) {
        const arb_scope_column *found;
        ARB_TRY(find_in(b, &s->names, &name, &found));
        if (found != NULL)
            return use(b, scope, s, found, column->base.span, out);
        if (name.table != NULL && has_table(s, &name))
            return fail_unknown_in_table(b, s, &name);
    }
    if (name.table == NULL)
        return ARB_OK;
    ARB_TRY(refuse_fields(b, scope, column));
    return fail_unknown_table(b, scope, name.schema != NULL ? name.schema : name.table);
}

arb_code arb_scope_star(arb_binder *b, const arb_scope *scope, const arb_ast_star *star, arb_scope_columns *out)
{
    size_t count = star->qualifier.size;
    column_name name = {
        .schema = count > 1 ? &star->qualifier.data[count - 2] : NULL,
        .table = count > 0 ? &star->qualifier.data[count - 1] : NULL,
    };
    if (name.table != NULL && !has_table(scope, &name))
        return fail_unknown_table(b, scope, name.table);
    for (size_t i = 0; i < scope->names.columns.size; i++) {
        const arb_scope_column *column = &scope->names.columns.data[i];
        if (name.table == NULL ? !column->only_qualified : table_matches(&name, column->table))
            ARB_PUSH(b, out, column);
    }
    return ARB_OK;
}

arb_code arb_namespace_append(arb_binder *b, arb_namespace *names, const arb_namespace *from, arb_ast_span span)
{
    for (size_t i = 0; i < from->tables.size; i++) {
        const arb_scope_table *table = from->tables.data[i];
        for (size_t k = 0; k < names->tables.size && table->alias.size != 0; k++) {
            const arb_scope_table *other = names->tables.data[k];
            bool schemas = table->schema.size != 0 && other->schema.size != 0 &&
                           !arb_str_equal_nocase(table->schema, other->schema);
            if (arb_str_equal(table->alias, other->alias) && !schemas)
                return arb_bind_fail(b, span, ARB_DUPLICATE_ALIAS, "table name \"%.*s\" is given more than once",
                                     ARB_STR_ARGS(table->alias));
        }
        ARB_PUSH(b, &names->tables, table);
    }
    for (size_t i = 0; i < from->columns.size; i++)
        ARB_PUSH(b, &names->columns, from->columns.data[i]);
    return ARB_OK;
}
