/* root.h: folders of data by name.
 *
 * No plan says where a file lies on a machine: it says in which root, and where in that. Who plans and who executes each have
 * folders of their own for the same roots. */
#ifndef ARB_CATALOG_ROOT_H
#define ARB_CATALOG_ROOT_H

#include "base/text.h"

typedef struct arb_root {
    arb_str name;   /* ASCII letters, digits, _ and - */
    arb_str folder; /* ends with NUL */
} arb_root;

typedef struct arb_roots {
    size_t count;
    const arb_root *items;
} arb_roots;

enum { ARB_ROOT_NAME_MOST = 64 };

/* Roots with the folders that the given ones lead to now: absolute, without links. All lives in the arena. A name that is
 * none is ARB_INVALID_PARAMETER, one that comes twice ARB_DUPLICATE_OBJECT, what is no folder ARB_WRONG_OBJECT_TYPE or what
 * the system says. */
ARB_NODISCARD arb_code arb_roots_resolve(arb_arena *arena, const arb_root *given, size_t count, arb_roots *out_roots,
                                         arb_error *error);
/* NULL when there is none of that name. */
const arb_root *arb_roots_find(const arb_roots *roots, arb_str name);
/* The root that the folder lies in, of several the one with the longest folder; NULL when there is none. The folder is
 * absolute and without links; `out_inside` is its part inside of the root, "" for the root itself. */
const arb_root *arb_roots_holding(const arb_roots *roots, arb_str folder, arb_str *out_inside);
/* Append the names, and with `folders` where they are: "a (/data/a), b (/data/b)", or "none". */
void arb_roots_print(arb_text *out, const arb_roots *roots, bool folders);
/* A path that stays inside of its root, as far as can be seen without looking: not absolute, no part is empty, . or .., and
 * no zero byte. */
bool arb_root_path_is_sound(arb_str path);

#endif
