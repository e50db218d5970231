/* optimize_default.c: the optimizer as sessions run it, with everything on. Apart from optimize.c, so that tests of
 * single rules need no functions that run. */
#include "optimizer/rule.h"

arb_code arb_optimize(arb_query *query, const arb_logical *root, const arb_column_set *needed, const arb_logical **out,
                      arb_error *error)
{
    const arb_optimizer_options options = {.evaluate = arb_expr_evaluate_constant};
    return arb_optimize_with(query, root, needed, &options, out, error);
}
