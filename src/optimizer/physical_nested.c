/* physical_nested.c: in which form lists, structs and maps travel.
 *
 * Scans give them as vectors with children, results and functions want them so. Operators that hold rows, or tell equal
 * ones, take them packed (columnar/nested_value.h): then the slot's physical type is STRING while its type stays nested.
 * A column is packed below the first such operator and unpacked at the end of the plan or where a function looks inside. */
#include "optimizer/physical_internal.h"

static const arb_physical_node *reshape(planner *p, const arb_physical_node *child, bool packed)
{
    if (child == NULL)
        return NULL;
    size_t count = child->layout.count;
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, count + 1);
    arb_physical *widths = ARB_ARENA_ARRAY(p->arena, arb_physical, count + 1);
    if (items == NULL || widths == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < count; i++) {
        const arb_slot *slot = &child->layout.slots[i];
        items[i] = (arb_named_expr){slot->id, arb_expr_column(p->arena, slot->id, slot->type)};
        if (items[i].expr == NULL)
            return arb_planner_no_memory(p);
        widths[i] = !arb_type_is_nested(slot->type) ? slot->physical
                    : packed                        ? ARB_PHYS_STRING
                                                    : arb_type_physical(slot->type);
    }
    return arb_planner_make_project(p, child, items, count, widths);
}

const arb_physical_node *arb_planner_packed(planner *p, const arb_physical_node *child)
{
    return reshape(p, child, true);
}

const arb_physical_node *arb_planner_unpacked(planner *p, const arb_physical_node *child)
{
    return reshape(p, child, false);
}
