/* catalog_statement.c: what changes names alone: external tables, views, DROP. */
#include "engine/session_internal.h"

arb_code arb_statement_create_external(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    return arb_catalog_add_files(result->session->catalog, statement->create_external.name,
                                 &statement->create_external.files, statement->create_external.existing, NULL, error);
}

arb_code arb_statement_create_view(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    return arb_catalog_add_view(result->session->catalog, statement->create_view.name, &statement->create_view.view,
                                statement->create_view.existing, NULL, error);
}

arb_code arb_statement_drop(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_catalog *catalog = result->session->catalog;
    bool if_exists = statement->drop.if_exists;
    arb_catalog_kind kind = statement->drop.object == ARB_AST_OBJECT_VIEW ? ARB_CATALOG_VIEW : ARB_CATALOG_TABLE;
    for (size_t i = 0; i < statement->drop.name_count; i++) {
        arb_catalog_name name = statement->drop.names[i];
        if (statement->drop.object == ARB_AST_OBJECT_SCHEMA)
            ARB_TRY(arb_catalog_drop_schema(catalog, name.parts[name.count - 1].text, if_exists,
                                            statement->drop.cascade, error));
        else
            ARB_TRY(arb_catalog_drop(catalog, name, kind, if_exists, error));
    }
    return ARB_OK;
}
