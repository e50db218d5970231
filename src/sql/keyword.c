#include "sql/keyword.h"

typedef struct entry {
    arb_str text;
    arb_keyword_class class;
    bool propose;
} entry;

/* Indexed by arb_keyword; sorted behind the empty first one. */
static const entry entries[ARB_KW_COUNT] = {{{"", 0}, ARB_KEYWORD_FREE, false},
#define X(name, class, propose) {{#name, sizeof #name - 1}, ARB_KEYWORD_##class, propose},
                                            ARB_KEYWORDS(X)
#undef X
};

enum { longest_keyword = 20 };

arb_keyword arb_keyword_find(arb_str word)
{
    char upper[longest_keyword];
    if (word.size == 0 || word.size > longest_keyword)
        return ARB_KW_NONE;
    for (size_t i = 0; i < word.size; i++)
        upper[i] = (char)(word.data[i] >= 'a' && word.data[i] <= 'z' ? word.data[i] - 32 : word.data[i]);
    size_t low = 1, high = ARB_KW_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = arb_str_compare((arb_str){upper, word.size}, entries[middle].text);
        if (order == 0)
            return (arb_keyword)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return ARB_KW_NONE;
}

arb_str arb_keyword_text(arb_keyword keyword)
{
    assert(keyword < ARB_KW_COUNT);
    return entries[keyword].text;
}

arb_keyword_class arb_keyword_class_of(arb_keyword keyword)
{
    assert(keyword < ARB_KW_COUNT);
    return entries[keyword].class;
}

arb_keyword arb_keyword_nearest(arb_str word)
{
    if (word.size < 3 || word.size > longest_keyword)
        return ARB_KW_NONE;
    unsigned limit = word.size < 5 ? 1 : 2, least = limit + 1;
    arb_keyword nearest = ARB_KW_NONE;
    for (arb_keyword keyword = ARB_KW_NONE + 1; keyword < ARB_KW_COUNT; keyword++) {
        if (!entries[keyword].propose)
            continue;
        unsigned distance = arb_str_distance(word, entries[keyword].text, limit);
        bool same_size = entries[keyword].text.size == word.size;
        if (distance != 0 && (distance < least || (distance == least && least <= limit && same_size))) {
            least = distance;
            nearest = keyword;
        }
    }
    return nearest;
}
