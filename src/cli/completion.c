#include "cli/completion.h"

#include <stdlib.h>

#include "sql/keyword.h"

static bool begins_nocase(arb_str text, arb_str with)
{
    return text.size >= with.size && arb_str_equal_nocase((arb_str){text.data, with.size}, with);
}

static bool occurs_nocase(arb_str text, arb_str piece)
{
    for (size_t at = 0; at + piece.size <= text.size; at++)
        if (arb_str_equal_nocase((arb_str){text.data + at, piece.size}, piece))
            return true;
    return false;
}

static bool add(arb_arena *arena, arb_completion *completion, arb_str candidate, arb_str word, bool lower)
{
    if (!begins_nocase(candidate, word))
        return true;
    char *copy = arb_arena_copy(arena, candidate.data, candidate.size);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < candidate.size && lower; i++)
        copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] - 'A' + 'a' : copy[i]);
    memcpy(copy, word.data, word.size); /* as it was begun */
    return ARB_ARENA_PUSH(arena, &completion->words, (arb_str){copy, candidate.size});
}

/* Keywords are continued in the case in which they were begun. */
static bool add_keywords(arb_arena *arena, arb_completion *completion, arb_str word)
{
    static const char *const keywords[] = {
#define X(name, class, propose) #name,
        ARB_KEYWORDS(X)
#undef X
    };
    bool lower = false;
    for (size_t i = 0; i < word.size; i++)
        lower = lower || (word.data[i] >= 'a' && word.data[i] <= 'z');
    for (size_t i = 0; i < ARB_COUNT_OF(keywords) && word.size > 0; i++)
        if (!add(arena, completion, arb_str_of(keywords[i]), word, lower))
            return false;
    return true;
}

static bool add_columns(arb_catalog_scope *catalog, arb_arena *arena, const arb_catalog_listed *listed, arb_str word,
                        arb_completion *completion)
{
    arb_catalog_part parts[] = {{listed->schema, true}, {listed->name, true}};
    arb_relation relation;
    if (arb_catalog_find(catalog, arena, (arb_catalog_name){parts, 2}, &relation, NULL) != ARB_OK ||
        relation.table == NULL)
        return true;
    for (size_t i = 0; i < relation.table->column_count; i++)
        if (!add(arena, completion, relation.table->columns[i].name, word, false))
            return false;
    return true;
}

static int compare_words(const void *a, const void *b)
{
    return arb_str_compare(*(const arb_str *)a, *(const arb_str *)b);
}

static void finish(arb_completion *completion)
{
    qsort(completion->words.data, completion->words.size, sizeof(arb_str), compare_words);
    size_t kept = 1;
    for (size_t i = 1; i < completion->words.size; i++)
        if (!arb_str_equal(completion->words.data[i], completion->words.data[kept - 1]))
            completion->words.data[kept++] = completion->words.data[i];
    completion->words.size = kept;
    arb_str first = completion->words.data[0], last = completion->words.data[kept - 1];
    completion->common = (arb_str){first.data, 0}; /* of sorted words the outermost differ most */
    while (completion->common.size < ARB_MIN(first.size, last.size) &&
           first.data[completion->common.size] == last.data[completion->common.size])
        completion->common.size++;
}

bool arb_complete(arb_catalog_scope *catalog, arb_arena *arena, arb_str statement, arb_str word,
                  arb_completion *out_completion)
{
    arb_catalog_listing listing = {0};
    *out_completion = (arb_completion){0};
    if (!add_keywords(arena, out_completion, word) ||
        (catalog != NULL && arb_catalog_list(catalog, arena, &listing, NULL) != ARB_OK))
        return false;
    for (size_t i = 0; i < listing.size; i++) {
        if (!add(arena, out_completion, listing.data[i].name, word, false))
            return false;
        if (word.size > 0 && occurs_nocase(statement, listing.data[i].name) &&
            !add_columns(catalog, arena, &listing.data[i], word, out_completion))
            return false;
    }
    if (out_completion->words.size == 0)
        return false;
    finish(out_completion);
    return true;
}
