#include "node/node_sessions.h"

arb_code arb_node_sessions_init(arb_node_sessions *sessions, arb_runtime *runtime, const arb_roots *roots,
                                arb_error *error)
{
    *sessions = (arb_node_sessions){.runtime = runtime};
    ARB_TRY(
        arb_catalog_create(arb_runtime_formats(runtime), arb_runtime_file_cache(runtime), &sessions->catalog, error));
    for (size_t i = 0; i < roots->count; i++)
        ARB_TRY(arb_catalog_add_folder(sessions->catalog, roots->items[i].folder, NULL, error));
    return ARB_OK;
}

void arb_node_sessions_reset(arb_node_sessions *sessions)
{
    arb_catalog_destroy(sessions->catalog);
    sessions->catalog = NULL;
}

arb_code arb_node_sessions_open(arb_node_sessions *sessions, arb_session **out_session, arb_error *error)
{
    ARB_TRY(arb_session_create_on(sessions->runtime, sessions->catalog, out_session, error));
    arb_session_set_runner(*out_session, &sessions->runner);
    return ARB_OK;
}
