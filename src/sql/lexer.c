#include "sql/lexer.h"

/* ---- characters -------------------------------------------------------------------------------------------------- */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word_part(char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

static char peek(const arb_lexer *lexer, uint32_t ahead)
{
    return lexer->at + ahead < lexer->size ? lexer->text[lexer->at + ahead] : '\0';
}

/* Bytes of the white space at the front of `text`: ASCII's and the Unicode spaces that editors and pages insert. */
static uint32_t space_size(const char *text, uint32_t size)
{
    unsigned char c = (unsigned char)text[0];
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (c == 0xC2 && size >= 2)
        return (unsigned char)text[1] == 0xA0 ? 2 : 0; /* no-break space */
    if (size < 3 || (c != 0xE2 && c != 0xE3 && c != 0xEF))
        return 0;
    uint32_t point = (uint32_t)(c & 0x0F) << 12 | (uint32_t)(text[1] & 0x3F) << 6 | (uint32_t)(text[2] & 0x3F);
    bool space = (point >= 0x2000 && point <= 0x200B) || point == 0x2028 || point == 0x2029 || point == 0x202F ||
                 point == 0x205F || point == 0x3000 || point == 0xFEFF;
    return space ? 3 : 0;
}

/* Bytes of the well-formed UTF-8 character at the front, or 0. */
static size_t character_size(const unsigned char *text, size_t size)
{
    unsigned char c = text[0];
    if (c < 0x80)
        return 1;
    size_t wanted = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || size < wanted)
        return 0;
    for (size_t i = 1; i < wanted; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (c == 0xE0 && text[1] < 0xA0) || (c == 0xF0 && text[1] < 0x90);
    bool surrogate = c == 0xED && text[1] >= 0xA0;
    bool beyond = c == 0xF4 && text[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : wanted;
}

/* The offset of the first byte that is NUL or not UTF-8, or the size. */
static size_t first_bad_byte(arb_str text)
{
    size_t at = 0;
    while (at < text.size) {
        size_t step = text.data[at] == '\0' ? 0 : character_size((const unsigned char *)text.data + at, text.size - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

arb_code arb_lexer_check_text(arb_str text, arb_error *error)
{
    if (text.size > ARB_SQL_TEXT_MAX)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "the SQL text has %zu bytes; the most is %zu", text.size,
                        (size_t)ARB_SQL_TEXT_MAX);
    size_t bad = first_bad_byte(text);
    if (bad == text.size)
        return ARB_OK;
    unsigned char byte = (unsigned char)text.data[bad];
    arb_code code = byte == 0 ? arb_fail(error, ARB_SYNTAX, "the SQL text contains a NUL byte")
                              : arb_fail(error, ARB_SYNTAX, "the SQL text is not UTF-8: byte 0x%02x", byte);
    return arb_error_at(error, code, (int64_t)bad + 1);
}

/* ---- finding the end of a token ---------------------------------------------------------------------------------- */
static arb_lexer_flaw flawed(arb_lexer_flaw flaw, uint32_t begin, const char *message, arb_error *error)
{
    arb_error_at(error, arb_fail(error, ARB_SYNTAX, "%s", message), (int64_t)begin + 1);
    return flaw;
}

static arb_lexer_flaw skip_block_comment(arb_lexer *lexer, arb_error *error)
{
    uint32_t begin = lexer->at, depth = 0;
    while (lexer->at < lexer->size) {
        if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
            depth++;
            lexer->at += 2;
        } else if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
            lexer->at += 2;
            if (--depth == 0)
                return ARB_LEXER_SOUND;
        } else {
            lexer->at++;
        }
    }
    return flawed(ARB_LEXER_UNTERMINATED, begin, "unterminated /* comment", error);
}

/* Up to the next token; `*begin` is where that one, or a comment without an end, begins. */
static arb_lexer_flaw skip_space(arb_lexer *lexer, uint32_t *begin, arb_error *error)
{
    for (;;) {
        *begin = lexer->at;
        if (lexer->at == lexer->size)
            return ARB_LEXER_SOUND;
        uint32_t space = space_size(lexer->text + lexer->at, lexer->size - lexer->at);
        if (space != 0) {
            lexer->at += space;
        } else if (peek(lexer, 0) == '-' && peek(lexer, 1) == '-') {
            const char *rest = lexer->text + lexer->at;
            const char *line_end = memchr(rest, '\n', lexer->size - lexer->at);
            lexer->at = line_end != NULL ? (uint32_t)(line_end - lexer->text) + 1 : lexer->size;
        } else if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
            arb_lexer_flaw flaw = skip_block_comment(lexer, error);
            if (flaw != ARB_LEXER_SOUND)
                return flaw;
        } else {
            return ARB_LEXER_SOUND;
        }
    }
}

/* From the opening quote to behind the closing one; a doubled quote stands for itself. */
static bool skip_quoted(arb_lexer *lexer, char quote, bool backslash)
{
    lexer->at++;
    while (lexer->at < lexer->size) {
        char c = lexer->text[lexer->at++];
        if (backslash && c == '\\' && lexer->at < lexer->size) {
            lexer->at++;
        } else if (c == quote) {
            if (peek(lexer, 0) != quote)
                return true;
            lexer->at++;
        }
    }
    return false;
}

static arb_lexer_flaw take_string(arb_lexer *lexer, arb_token *token, arb_token_kind kind, arb_error *error)
{
    token->kind = (uint8_t)kind;
    if (skip_quoted(lexer, '\'', kind == ARB_TOKEN_ESCAPED))
        return ARB_LEXER_SOUND;
    return flawed(ARB_LEXER_UNTERMINATED, token->begin, "unterminated string: the closing ' is missing", error);
}

static arb_lexer_flaw take_quoted(arb_lexer *lexer, arb_token *token, arb_error *error)
{
    token->kind = ARB_TOKEN_QUOTED;
    if (!skip_quoted(lexer, '"', false))
        return flawed(ARB_LEXER_UNTERMINATED, token->begin, "unterminated name: the closing \" is missing", error);
    if (lexer->at - token->begin == 2)
        return flawed(ARB_LEXER_MALFORMED, token->begin, "a name in quotes may not be empty", error);
    return ARB_LEXER_SOUND;
}

/* $1, $name, $$text$$, $tag$text$tag$ */
static arb_lexer_flaw take_dollar(arb_lexer *lexer, arb_token *token, arb_error *error)
{
    token->kind = ARB_TOKEN_PARAMETER;
    lexer->at++;
    if (is_digit(peek(lexer, 0))) {
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
        if (is_word_start(peek(lexer, 0)))
            return flawed(ARB_LEXER_MALFORMED, token->begin, "trailing characters after a parameter", error);
        return ARB_LEXER_SOUND;
    }
    if (is_word_start(peek(lexer, 0)))
        while (lexer->at < lexer->size && is_word_part(peek(lexer, 0)) && peek(lexer, 0) != '$')
            lexer->at++;
    uint32_t tag_size = lexer->at - token->begin + 1;
    if (peek(lexer, 0) != '$') {
        if (tag_size == 2)
            return flawed(ARB_LEXER_MALFORMED, token->begin, "syntax error at or near \"$\"", error);
        return ARB_LEXER_SOUND;
    }
    token->kind = ARB_TOKEN_DOLLAR;
    lexer->at++;
    const char *rest = lexer->text + lexer->at;
    const char *close = memmem(rest, lexer->size - lexer->at, lexer->text + token->begin, tag_size);
    if (close == NULL) {
        lexer->at = lexer->size;
        return flawed(ARB_LEXER_UNTERMINATED, token->begin, "unterminated dollar-quoted string", error);
    }
    lexer->at = (uint32_t)(close - lexer->text) + tag_size;
    return ARB_LEXER_SOUND;
}

/* Digits, with single underscores between them. */
static void skip_digits(arb_lexer *lexer)
{
    while (is_digit(peek(lexer, 0)) || (peek(lexer, 0) == '_' && is_digit(peek(lexer, 1))))
        lexer->at++;
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
}

/* The base that 0x, 0o or 0b announces, or 10. */
static int number_base(const char *text, uint32_t size)
{
    if (size < 3 || text[0] != '0')
        return 10;
    char mark = (char)(text[1] | 0x20);
    int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    return base != 10 && digit_value(text[2]) < base ? base : 10;
}

static arb_lexer_flaw take_number(arb_lexer *lexer, arb_token *token, arb_error *error)
{
    token->kind = ARB_TOKEN_INTEGER;
    int base = number_base(lexer->text + lexer->at, lexer->size - lexer->at);
    if (base != 10) {
        lexer->at += 2;
        while (digit_value(peek(lexer, 0)) < base || (peek(lexer, 0) == '_' && digit_value(peek(lexer, 1)) < base))
            lexer->at++;
    } else {
        skip_digits(lexer);
        if (peek(lexer, 0) == '.') {
            token->kind = ARB_TOKEN_DECIMAL;
            lexer->at++;
            if (is_digit(peek(lexer, 0)))
                skip_digits(lexer);
        }
        char sign = peek(lexer, 1);
        bool exponent = is_digit(sign) || ((sign == '+' || sign == '-') && is_digit(peek(lexer, 2)));
        if ((peek(lexer, 0) | 0x20) == 'e' && exponent) {
            token->kind = ARB_TOKEN_DOUBLE;
            lexer->at += 2;
            skip_digits(lexer);
        }
    }
    if (lexer->at < lexer->size && is_word_start(peek(lexer, 0)) &&
        space_size(lexer->text + lexer->at, lexer->size - lexer->at) == 0) {
        while (lexer->at < lexer->size && is_word_part(peek(lexer, 0)))
            lexer->at++;
        return flawed(ARB_LEXER_MALFORMED, token->begin, "trailing characters after a number", error);
    }
    return ARB_LEXER_SOUND;
}

static void take_word(arb_lexer *lexer, arb_token *token)
{
    token->kind = ARB_TOKEN_WORD;
    while (lexer->at < lexer->size && is_word_part(peek(lexer, 0)) &&
           space_size(lexer->text + lexer->at, lexer->size - lexer->at) == 0)
        lexer->at++;
    arb_str word = {lexer->text + token->begin, lexer->at - token->begin};
    token->keyword = (uint16_t)arb_keyword_find(word);
}

/* ---- symbols ----------------------------------------------------------------------------------------------------- */
typedef struct symbol {
    arb_token_kind kind;
    arb_str text;
} symbol;

static const symbol symbols[] = {
#define X(name, text) {ARB_TOKEN_##name, {text, sizeof text - 1}},
    ARB_SYMBOLS(X)
#undef X
};

const char *arb_symbol_text(arb_token_kind kind)
{
    for (size_t i = 0; i < ARB_COUNT_OF(symbols); i++)
        if (symbols[i].kind == kind)
            return symbols[i].text.data;
    return NULL;
}

static arb_lexer_flaw take_symbol(arb_lexer *lexer, arb_token *token, arb_error *error)
{
    arb_str rest = {lexer->text + lexer->at, lexer->size - lexer->at};
    for (size_t i = 0; i < ARB_COUNT_OF(symbols); i++) {
        if (arb_str_starts_with(rest, symbols[i].text)) {
            token->kind = (uint8_t)symbols[i].kind;
            lexer->at += (uint32_t)symbols[i].text.size;
            return ARB_LEXER_SOUND;
        }
    }
    lexer->at++;
    char message[] = "syntax error at or near \"?\"";
    if (rest.data[0] > ' ')
        message[sizeof message - 3] = rest.data[0];
    return flawed(ARB_LEXER_MALFORMED, token->begin, message, error);
}

static arb_lexer_flaw take(arb_lexer *lexer, arb_token *token, arb_error *error)
{
    char c = peek(lexer, 0);
    if (peek(lexer, 1) == '\'') {
        arb_token_kind prefixed = ARB_TOKEN_END;
        switch (c | 0x20) {
        case 'e':
            prefixed = ARB_TOKEN_ESCAPED;
            break;
        case 'x':
            prefixed = ARB_TOKEN_BLOB;
            break;
        case 'n':
            prefixed = ARB_TOKEN_STRING;
            break;
        default:
            break;
        }
        if (prefixed != ARB_TOKEN_END) {
            lexer->at++;
            return take_string(lexer, token, prefixed, error);
        }
    }
    if (c == '\'')
        return take_string(lexer, token, ARB_TOKEN_STRING, error);
    if (c == '"')
        return take_quoted(lexer, token, error);
    if (c == '$')
        return take_dollar(lexer, token, error);
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
        return take_number(lexer, token, error);
    if (is_word_start(c)) {
        take_word(lexer, token);
        return ARB_LEXER_SOUND;
    }
    return take_symbol(lexer, token, error);
}

arb_lexer_flaw arb_lexer_next(arb_lexer *lexer, arb_token *token, arb_error *error)
{
    assert(lexer->at <= lexer->size);
    uint32_t begin;
    arb_lexer_flaw flaw = skip_space(lexer, &begin, error);
    *token = (arb_token){.kind = ARB_TOKEN_END, .begin = begin, .end = lexer->at};
    if (flaw != ARB_LEXER_SOUND || lexer->at == lexer->size)
        return flaw;
    flaw = take(lexer, token, error);
    token->end = lexer->at;
    assert(token->end > token->begin && token->end <= lexer->size);
    return flaw;
}

/* ---- meaning ----------------------------------------------------------------------------------------------------- */
static arb_code decode_failed(arb_error *error, const arb_token *token, uint32_t offset, const char *message)
{
    return arb_error_at(error, arb_fail(error, ARB_SYNTAX, "%s", message), (int64_t)token->begin + offset + 1);
}

/* Take out doubled quotes; `raw` is what stands between the outer ones. */
static arb_code undouble(arb_arena *arena, arb_str raw, char quote, arb_str *out, arb_error *error)
{
    if (raw.size == 0 || memchr(raw.data, quote, raw.size) == NULL) {
        *out = raw;
        return ARB_OK;
    }
    char *copy = arb_arena_alloc(arena, raw.size);
    if (copy == NULL)
        return arb_fail_memory(error, "a string", raw.size);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        copy[size++] = raw.data[i];
        if (raw.data[i] == quote)
            i++;
    }
    *out = (arb_str){copy, size};
    return ARB_OK;
}

static size_t put_character(char *out, uint32_t point)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(marks[size] | point);
    return size;
}

/* Read up to `most` digits of a base; returns how many there were. */
static size_t read_digits(arb_str raw, size_t at, size_t most, int base, uint32_t *value)
{
    size_t count = 0;
    *value = 0;
    while (count < most && at + count < raw.size && digit_value(raw.data[at + count]) < base) {
        *value = *value * (uint32_t)base + (uint32_t)digit_value(raw.data[at + count]);
        count++;
    }
    return count;
}

/* One escape, `raw.data[*at]` being the character behind the backslash. Returns the bytes written, 0 = malformed. */
static size_t unescape_one(arb_str raw, size_t *at, char *out)
{
    char c = raw.data[(*at)++];
    uint32_t value;
    size_t digits;
    switch (c) {
    case 'b':
        out[0] = '\b';
        return 1;
    case 'f':
        out[0] = '\f';
        return 1;
    case 'n':
        out[0] = '\n';
        return 1;
    case 'r':
        out[0] = '\r';
        return 1;
    case 't':
        out[0] = '\t';
        return 1;
    case 'x':
        digits = read_digits(raw, *at, 2, 16, &value);
        *at += digits;
        out[0] = (char)(digits != 0 ? value : 'x');
        return digits != 0 && value == 0 ? 0 : 1;
    case 'u':
    case 'U':
        digits = read_digits(raw, *at, c == 'u' ? 4 : 8, 16, &value);
        *at += digits;
        if (digits != (c == 'u' ? 4u : 8u) || value == 0 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
            return 0;
        return put_character(out, value);
    default:
        break;
    }
    if (c >= '0' && c <= '7') {
        digits = read_digits(raw, *at - 1, 3, 8, &value);
        *at += digits - 1;
        out[0] = (char)value;
        return value == 0 || value > 255 ? 0 : 1;
    }
    out[0] = c;
    return 1;
}

static arb_code unescape(arb_arena *arena, arb_str raw, const arb_token *token, arb_str *out, arb_error *error)
{
    char *copy = arb_arena_alloc(arena, raw.size + 1); /* no escape is shorter than what it stands for */
    if (copy == NULL)
        return arb_fail_memory(error, "a string", raw.size);
    size_t size = 0, at = 0;
    while (at < raw.size) {
        char c = raw.data[at++];
        if (c == '\'') {
            at++;
            copy[size++] = c;
        } else if (c == '\\' && at < raw.size) {
            size_t begin = at;
            size_t written = unescape_one(raw, &at, copy + size);
            if (written == 0)
                return decode_failed(error, token, (uint32_t)begin + 1, "invalid escape in a string");
            size += written;
        } else {
            copy[size++] = c;
        }
    }
    *out = (arb_str){copy, size};
    if (first_bad_byte(*out) != size)
        return decode_failed(error, token, 0, "the escapes of a string do not give UTF-8");
    return ARB_OK;
}

static arb_code unhex(arb_arena *arena, arb_str raw, const arb_token *token, arb_str *out, arb_error *error)
{
    if (raw.size % 2 != 0)
        return decode_failed(error, token, 0, "a blob needs an even number of hexadecimal digits");
    char *copy = arb_arena_alloc(arena, raw.size / 2 + 1);
    if (copy == NULL)
        return arb_fail_memory(error, "a blob", raw.size);
    for (size_t i = 0; i < raw.size; i++) {
        int digit = digit_value(raw.data[i]);
        if (digit > 15)
            return decode_failed(error, token, (uint32_t)i + 2, "a blob consists of hexadecimal digits");
        copy[i / 2] = (char)(i % 2 == 0 ? digit << 4 : copy[i / 2] | digit);
    }
    *out = (arb_str){copy, raw.size / 2};
    return ARB_OK;
}

/* A number in another base, as decimal digits. */
static arb_code to_decimal(arb_arena *arena, arb_str raw, int base, const arb_token *token, arb_str *out,
                           arb_error *error)
{
    arb_uint128 value = 0;
    for (size_t i = 2; i < raw.size; i++) {
        if (raw.data[i] == '_')
            continue;
        if (value > (~(arb_uint128)0 - 15) / (unsigned)base)
            return decode_failed(error, token, 0, "the number is too large");
        value = value * (unsigned)base + (unsigned)digit_value(raw.data[i]);
    }
    char digits[40];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    *out = arb_str_copy(arena, (arb_str){digits + at, sizeof digits - at});
    return out->data != NULL ? ARB_OK : arb_fail_memory(error, "a number", sizeof digits);
}

static arb_code decode_number(arb_arena *arena, arb_str raw, const arb_token *token, arb_str *out, arb_error *error)
{
    int base = number_base(raw.data, (uint32_t)raw.size);
    if (token->kind == ARB_TOKEN_INTEGER && base != 10)
        return to_decimal(arena, raw, base, token, out, error);
    *out = raw;
    if (memchr(raw.data, '_', raw.size) == NULL)
        return ARB_OK;
    char *copy = arb_arena_alloc(arena, raw.size);
    if (copy == NULL)
        return arb_fail_memory(error, "a number", raw.size);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++)
        if (raw.data[i] != '_')
            copy[size++] = raw.data[i];
    *out = (arb_str){copy, size};
    return ARB_OK;
}

arb_code arb_token_decode(arb_arena *arena, const char *text, const arb_token *token, arb_str *out, arb_error *error)
{
    arb_str raw = {text + token->begin, token->end - token->begin};
    switch ((arb_token_kind)token->kind) {
    case ARB_TOKEN_QUOTED:
        return undouble(arena, (arb_str){raw.data + 1, raw.size - 2}, '"', out, error);
    case ARB_TOKEN_STRING:
    case ARB_TOKEN_ESCAPED:
    case ARB_TOKEN_BLOB: {
        size_t front = raw.data[0] == '\'' ? 1 : 2;
        raw = (arb_str){raw.data + front, raw.size - front - 1};
        if (token->kind == ARB_TOKEN_STRING)
            return undouble(arena, raw, '\'', out, error);
        return token->kind == ARB_TOKEN_BLOB ? unhex(arena, raw, token, out, error)
                                             : unescape(arena, raw, token, out, error);
    }
    case ARB_TOKEN_DOLLAR: {
        size_t tag = (size_t)((const char *)memchr(raw.data + 1, '$', raw.size - 1) - raw.data) + 1;
        *out = (arb_str){raw.data + tag, raw.size - 2 * tag};
        return ARB_OK;
    }
    case ARB_TOKEN_INTEGER:
    case ARB_TOKEN_DECIMAL:
    case ARB_TOKEN_DOUBLE:
        return decode_number(arena, raw, token, out, error);
    case ARB_TOKEN_PARAMETER:
        *out = (arb_str){raw.data + 1, raw.size - 1};
        return ARB_OK;
    default:
        *out = raw;
        return ARB_OK;
    }
}
