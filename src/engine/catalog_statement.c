/* catalog_statement.c: what changes names alone: external tables, views, DROP. */
#include "engine/session_internal.h"

arb_code arb_statement_create_external(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    return arb_catalog_add_files(result->session->catalog, &statement->create_external.target,
                                 &statement->create_external.files, NULL, error);
}

arb_code arb_statement_create_view(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    return arb_catalog_add_view(result->session->catalog, &statement->create_view.target, &statement->create_view.view,
                                NULL, error);
}

arb_code arb_statement_drop(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_catalog_scope *catalog = result->session->catalog;
    const arb_catalog_name *names = statement->drop.names;
    size_t count = statement->drop.name_count;
    bool if_exists = statement->drop.if_exists;
    arb_catalog_kind kind = statement->drop.object == ARB_AST_OBJECT_VIEW ? ARB_CATALOG_VIEW : ARB_CATALOG_TABLE;
    if (statement->drop.object == ARB_AST_OBJECT_SCHEMA)
        return arb_catalog_drop_schemas(catalog, names, count, if_exists, statement->drop.cascade, error);
    return arb_catalog_drop(catalog, names, count, kind, if_exists, error);
}
