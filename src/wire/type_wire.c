#include "wire/type_wire.h"

#include "proto/plan.pb-c.h"
#include "wire/wire.h"

/* Numbers that travel: who puts a new member anywhere but behind the others fails here. */
static_assert(ARB_TYPE_NULL == 0 && ARB_TYPE_BOOLEAN == 1 && ARB_TYPE_BIGINT == 5 && ARB_TYPE_DECIMAL == 8 &&
                  ARB_TYPE_DATE == 11 && ARB_TYPE_INTERVAL == 15 && ARB_TYPE_MAP == 18,
              "types have the numbers that they travel under");

enum { depth_most = 64 };

bool arb_type_write(arb_type_writer *writer, arb_type type, uint32_t *out_place)
{
    for (size_t i = 0; i < writer->known.size; i++)
        if (arb_type_equal(writer->known.data[i], type)) {
            *out_place = (uint32_t)i;
            return true;
        }
    size_t count = type.children == NULL ? 0 : type.children->count;
    Arbalest__Plan__Type *made = arb_wire_message(writer->arena, &arbalest__plan__type__descriptor);
    uint32_t *children = ARB_ARENA_ARRAY(writer->arena, uint32_t, count + 1);
    ProtobufCBinaryData *names = ARB_ARENA_ARRAY(writer->arena, ProtobufCBinaryData, count + 1);
    if (made == NULL || children == NULL || names == NULL)
        return false;
    made->id = type.id;
    made->precision = type.precision;
    made->scale = type.scale;
    made->nanoseconds = type.nanoseconds;
    for (size_t i = 0; i < count; i++) {
        if (!arb_type_write(writer, type.children->types[i], &children[i]))
            return false;
        if (type.children->names != NULL)
            names[i] = arb_wire_bytes(type.children->names[i]);
    }
    made->n_children = count;
    made->children = children;
    made->n_names = count == 0 || type.children->names == NULL ? 0 : count;
    made->names = names;
    *out_place = (uint32_t)writer->types.size;
    return ARB_ARENA_PUSH(writer->arena, &writer->known, type) && ARB_ARENA_PUSH(writer->arena, &writer->types, made);
}

typedef struct type_reader {
    arb_arena *arena;
    const char *whose;
    arb_type *types;
    uint16_t *depths;
    arb_error *error;
} type_reader;

static size_t children_wanted(arb_type_id id, size_t has)
{
    switch (id) {
    case ARB_TYPE_LIST:
        return 1;
    case ARB_TYPE_MAP:
        return 2;
    case ARB_TYPE_STRUCT:
        return ARB_MAX(has, (size_t)1);
    default:
        return 0;
    }
}

static arb_code no_memory(const type_reader *r, size_t size)
{
    return arb_fail_memory(r->error, "a list of types", size);
}

static arb_code make_nested(const type_reader *r, const Arbalest__Plan__Type *from, arb_type *out)
{
    size_t count = from->n_children;
    arb_type *children = ARB_ARENA_ARRAY(r->arena, arb_type, count);
    arb_str *names = ARB_ARENA_ARRAY(r->arena, arb_str, count);
    if (children == NULL || names == NULL)
        return no_memory(r, count * sizeof *children);
    for (size_t i = 0; i < count; i++) {
        children[i] = r->types[from->children[i]];
        names[i] = from->n_names == 0 ? (arb_str){0} : arb_wire_text(from->names[i]);
    }
    *out = from->id == ARB_TYPE_LIST  ? arb_type_list(r->arena, children[0])
           : from->id == ARB_TYPE_MAP ? arb_type_map(r->arena, children[0], children[1])
                                      : arb_type_struct(r->arena, names, children, count);
    return out->id != ARB_TYPE_NULL ? ARB_OK : no_memory(r, count * sizeof *children);
}

static arb_code damaged(const type_reader *r, size_t at, const char *what)
{
    return arb_fail(r->error, ARB_CORRUPT_DATA, "%s type %zu %s", r->whose, at, what);
}

static arb_code read_type(const type_reader *r, const Arbalest__Plan__Type *from, size_t at)
{
    if (!arb_type_of_numbers(from->id, from->precision, from->scale, from->nanoseconds, &r->types[at]))
        return arb_fail(r->error, ARB_CORRUPT_DATA, "%s type %zu is unknown (%u, with %u digits, %u behind the point)",
                        r->whose, at, from->id, from->precision, from->scale);
    if (from->n_children != children_wanted((arb_type_id)from->id, from->n_children) ||
        from->n_names != (from->id == ARB_TYPE_STRUCT ? from->n_children : 0))
        return arb_fail(r->error, ARB_CORRUPT_DATA, "%s type %zu has %zu children and %zu names", r->whose, at,
                        from->n_children, from->n_names);
    for (size_t i = 0; i < from->n_children; i++) {
        if (from->children[i] >= at)
            return damaged(r, at, "has a child that does not come before it");
        r->depths[at] = ARB_MAX(r->depths[at], (uint16_t)(r->depths[from->children[i]] + 1));
    }
    if (r->depths[at] > depth_most)
        return damaged(r, at, "is nested too deeply");
    return from->n_children != 0 ? make_nested(r, from, &r->types[at]) : ARB_OK;
}

arb_code arb_types_read(arb_arena *arena, Arbalest__Plan__Type *const *from, size_t count, const char *whose,
                        arb_type **out_types, arb_error *error)
{
    type_reader r = {.arena = arena,
                     .whose = whose,
                     .types = ARB_ARENA_ARRAY(arena, arb_type, count + 1),
                     .depths = ARB_ARENA_ARRAY(arena, uint16_t, count + 1),
                     .error = error};
    *out_types = r.types;
    if (r.types == NULL || r.depths == NULL)
        return no_memory(&r, count * sizeof *r.types);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(read_type(&r, from[i], i));
    return ARB_OK;
}
