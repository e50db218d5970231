/* The lists are facts of the TPC-H specification (clause 4.2.2.13 and 4.2.2.14, and the weights of its data generator),
 * their order and their misspellings included. */
#include "catalog/generators/tpch_words.h"

#define WORD(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
#define LIST(name, ...)                                 \
    static const arb_str name##_list[] = {__VA_ARGS__}; \
    const arb_tpch_words arb_tpch_##name = {name##_list, ARB_COUNT_OF(name##_list)}

/* clang-format off */
LIST(regions,
    WORD("AFRICA"), WORD("AMERICA"), WORD("ASIA"), WORD("EUROPE"), WORD("MIDDLE EAST"));

LIST(nations,
    WORD("ALGERIA"), WORD("ARGENTINA"), WORD("BRAZIL"), WORD("CANADA"), WORD("EGYPT"), WORD("ETHIOPIA"),
    WORD("FRANCE"), WORD("GERMANY"), WORD("INDIA"), WORD("INDONESIA"), WORD("IRAN"), WORD("IRAQ"), WORD("JAPAN"),
    WORD("JORDAN"), WORD("KENYA"), WORD("MOROCCO"), WORD("MOZAMBIQUE"), WORD("PERU"), WORD("CHINA"), WORD("ROMANIA"),
    WORD("SAUDI ARABIA"), WORD("VIETNAM"), WORD("RUSSIA"), WORD("UNITED KINGDOM"), WORD("UNITED STATES"));
const uint8_t arb_tpch_nation_regions[25] = {0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1};

LIST(colors,
    WORD("almond"), WORD("antique"), WORD("aquamarine"), WORD("azure"), WORD("beige"), WORD("bisque"), WORD("black"),
    WORD("blanched"), WORD("blue"), WORD("blush"), WORD("brown"), WORD("burlywood"), WORD("burnished"),
    WORD("chartreuse"), WORD("chiffon"), WORD("chocolate"), WORD("coral"), WORD("cornflower"), WORD("cornsilk"),
    WORD("cream"), WORD("cyan"), WORD("dark"), WORD("deep"), WORD("dim"), WORD("dodger"), WORD("drab"),
    WORD("firebrick"), WORD("floral"), WORD("forest"), WORD("frosted"), WORD("gainsboro"), WORD("ghost"),
    WORD("goldenrod"), WORD("green"), WORD("grey"), WORD("honeydew"), WORD("hot"), WORD("indian"), WORD("ivory"),
    WORD("khaki"), WORD("lace"), WORD("lavender"), WORD("lawn"), WORD("lemon"), WORD("light"), WORD("lime"),
    WORD("linen"), WORD("magenta"), WORD("maroon"), WORD("medium"), WORD("metallic"), WORD("midnight"), WORD("mint"),
    WORD("misty"), WORD("moccasin"), WORD("navajo"), WORD("navy"), WORD("olive"), WORD("orange"), WORD("orchid"),
    WORD("pale"), WORD("papaya"), WORD("peach"), WORD("peru"), WORD("pink"), WORD("plum"), WORD("powder"),
    WORD("puff"), WORD("purple"), WORD("red"), WORD("rose"), WORD("rosy"), WORD("royal"), WORD("saddle"),
    WORD("salmon"), WORD("sandy"), WORD("seashell"), WORD("sienna"), WORD("sky"), WORD("slate"), WORD("smoke"),
    WORD("snow"), WORD("spring"), WORD("steel"), WORD("tan"), WORD("thistle"), WORD("tomato"), WORD("turquoise"),
    WORD("violet"), WORD("wheat"), WORD("white"), WORD("yellow"));

LIST(segments,
    WORD("AUTOMOBILE"), WORD("BUILDING"), WORD("FURNITURE"), WORD("HOUSEHOLD"), WORD("MACHINERY"));
LIST(priorities,
    WORD("1-URGENT"), WORD("2-HIGH"), WORD("3-MEDIUM"), WORD("4-NOT SPECIFIED"), WORD("5-LOW"));
LIST(instructions,
    WORD("DELIVER IN PERSON"), WORD("COLLECT COD"), WORD("TAKE BACK RETURN"), WORD("NONE"));
LIST(ship_modes,
    WORD("REG AIR"), WORD("AIR"), WORD("RAIL"), WORD("TRUCK"), WORD("MAIL"), WORD("FOB"), WORD("SHIP"));
LIST(order_states,
    WORD("F"), WORD("O"), WORD("P"));
LIST(line_states,
    WORD("F"), WORD("O"));
LIST(return_flags,
    WORD("R"), WORD("A"), WORD("N"));

/* A size, a finish and a metal, the last changing fastest. */
#define METALS(kind) \
    WORD(kind " TIN"), WORD(kind " NICKEL"), WORD(kind " BRASS"), WORD(kind " STEEL"), WORD(kind " COPPER")
#define FINISHES(size) \
    METALS(size " ANODIZED"), METALS(size " BURNISHED"), METALS(size " PLATED"), METALS(size " POLISHED"), \
    METALS(size " BRUSHED")
LIST(part_types,
    FINISHES("STANDARD"), FINISHES("SMALL"), FINISHES("MEDIUM"), FINISHES("LARGE"), FINISHES("ECONOMY"),
    FINISHES("PROMO"));

#define VESSELS(size) \
    WORD(size " CASE"), WORD(size " BOX"), WORD(size " BAG"), WORD(size " JAR"), WORD(size " PACK"), \
    WORD(size " PKG"), WORD(size " CAN"), WORD(size " DRUM")
LIST(containers,
    VESSELS("SM"), VESSELS("LG"), VESSELS("MED"), VESSELS("JUMBO"), VESSELS("WRAP"));

#define FIVE(prefix) WORD(prefix "1"), WORD(prefix "2"), WORD(prefix "3"), WORD(prefix "4"), WORD(prefix "5")
LIST(manufacturers,
    FIVE("Manufacturer#"));
LIST(brands,
    FIVE("Brand#1"), FIVE("Brand#2"), FIVE("Brand#3"), FIVE("Brand#4"), FIVE("Brand#5"));

#define WEIGHTED(name, ...)                                            \
    static const arb_tpch_weighted_word name##_list[] = {__VA_ARGS__}; \
    const arb_tpch_weighted_words arb_tpch_##name = {name##_list, ARB_COUNT_OF(name##_list)}

WEIGHTED(nouns,
    {"packages", 40}, {"requests", 40}, {"accounts", 40}, {"deposits", 40}, {"foxes", 20}, {"ideas", 20},
    {"theodolites", 20}, {"pinto beans", 20}, {"instructions", 20}, {"dependencies", 10}, {"excuses", 10},
    {"platelets", 10}, {"asymptotes", 10}, {"courts", 5}, {"dolphins", 5}, {"multipliers", 1}, {"sauternes", 1},
    {"warthogs", 1}, {"frets", 1}, {"dinos", 1}, {"attainments", 1}, {"somas", 1}, {"Tiresias", 1}, {"patterns", 1},
    {"forges", 1}, {"braids", 1}, {"frays", 1}, {"warhorses", 1}, {"dugouts", 1}, {"notornis", 1}, {"epitaphs", 1},
    {"pearls", 1}, {"tithes", 1}, {"waters", 1}, {"orbits", 1}, {"gifts", 1}, {"sheaves", 1}, {"depths", 1},
    {"sentiments", 1}, {"decoys", 1}, {"realms", 1}, {"pains", 1}, {"grouches", 1}, {"escapades", 1},
    {"hockey players", 1});
WEIGHTED(verbs,
    {"sleep", 20}, {"wake", 20}, {"are", 20}, {"cajole", 20}, {"haggle", 20}, {"nag", 10}, {"use", 10},
    {"boost", 10}, {"affix", 5}, {"detect", 5}, {"integrate", 5}, {"maintain", 1}, {"nod", 1}, {"was", 1},
    {"lose", 1}, {"sublate", 1}, {"solve", 1}, {"thrash", 1}, {"promise", 1}, {"engage", 1}, {"hinder", 1},
    {"print", 1}, {"x-ray", 1}, {"breach", 1}, {"eat", 1}, {"grow", 1}, {"impress", 1}, {"mold", 1}, {"poach", 1},
    {"serve", 1}, {"run", 1}, {"dazzle", 1}, {"snooze", 1}, {"doze", 1}, {"unwind", 1}, {"kindle", 1}, {"play", 1},
    {"hang", 1}, {"believe", 1}, {"doubt", 1});
WEIGHTED(adjectives,
    {"special", 20}, {"pending", 20}, {"unusual", 20}, {"express", 20}, {"furious", 1}, {"sly", 1}, {"careful", 1},
    {"blithe", 1}, {"quick", 1}, {"fluffy", 1}, {"slow", 1}, {"quiet", 1}, {"ruthless", 1}, {"thin", 1},
    {"close", 1}, {"dogged", 1}, {"daring", 1}, {"brave", 1}, {"stealthy", 1}, {"permanent", 1}, {"enticing", 1},
    {"idle", 1}, {"busy", 1}, {"regular", 50}, {"final", 40}, {"ironic", 40}, {"even", 30}, {"bold", 20},
    {"silent", 10});
WEIGHTED(adverbs,
    {"sometimes", 1}, {"always", 1}, {"never", 1}, {"furiously", 50}, {"slyly", 50}, {"carefully", 50},
    {"blithely", 40}, {"quickly", 30}, {"fluffily", 20}, {"slowly", 1}, {"quietly", 1}, {"ruthlessly", 1},
    {"thinly", 1}, {"closely", 1}, {"doggedly", 1}, {"daringly", 1}, {"bravely", 1}, {"stealthily", 1},
    {"permanently", 1}, {"enticingly", 1}, {"idly", 1}, {"busily", 1}, {"regularly", 1}, {"finally", 1},
    {"ironically", 1}, {"evenly", 1}, {"boldly", 1}, {"silently", 1});
WEIGHTED(prepositions,
    {"about", 50}, {"above", 50}, {"according to", 50}, {"across", 50}, {"after", 50}, {"against", 40},
    {"along", 40}, {"alongside of", 30}, {"among", 30}, {"around", 20}, {"at", 10}, {"atop", 1}, {"before", 1},
    {"behind", 1}, {"beneath", 1}, {"beside", 1}, {"besides", 1}, {"between", 1}, {"beyond", 1}, {"by", 1},
    {"despite", 1}, {"during", 1}, {"except", 1}, {"for", 1}, {"from", 1}, {"in place of", 1}, {"inside", 1},
    {"instead of", 1}, {"into", 1}, {"near", 1}, {"of", 1}, {"on", 1}, {"outside", 1}, {"over", 1}, {"past", 1},
    {"since", 1}, {"through", 1}, {"throughout", 1}, {"to", 1}, {"toward", 1}, {"under", 1}, {"until", 1}, {"up", 1},
    {"upon", 1}, {"whithout", 1}, {"with", 1}, {"within", 1});
WEIGHTED(auxiliaries,
    {"do", 1}, {"may", 1}, {"might", 1}, {"shall", 1}, {"will", 1}, {"would", 1}, {"can", 1}, {"could", 1},
    {"should", 1}, {"ought to", 1}, {"must", 1}, {"will have to", 1}, {"shall have to", 1}, {"could have to", 1},
    {"should have to", 1}, {"must have to", 1}, {"need to", 1}, {"try to", 1});
WEIGHTED(terminators,
    {".", 50}, {";", 1}, {":", 1}, {"?", 1}, {"!", 1}, {"--", 1});
/* clang-format on */
