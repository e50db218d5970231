#include "remote/server_url.h"

static bool is_port(arb_str text)
{
    unsigned port = 0;
    for (size_t i = 0; i < text.size && i < 6; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    return text.size > 0 && text.size < 6 && port > 0 && port < 65536;
}

/* HOST:PORT, where only an address in brackets has more colons. */
static bool is_address(arb_str text)
{
    const char *colon = memrchr(text.data, ':', text.size);
    if (colon == NULL || colon == text.data)
        return false;
    arb_str host = {text.data, (size_t)(colon - text.data)};
    arb_str port = {colon + 1, text.size - host.size - 1};
    bool bracketed = host.data[0] == '[' && host.data[host.size - 1] == ']';
    return is_port(port) && (bracketed || memchr(host.data, ':', host.size) == NULL) &&
           memchr(host.data, '/', host.size) == NULL;
}

/* %XX becomes the byte. */
static arb_code decode(arb_arena *arena, arb_str text, arb_str *out, arb_error *error)
{
    char *to = arb_arena_alloc(arena, text.size + 1);
    size_t size = 0;
    if (to == NULL)
        return arb_fail_memory(error, "an address", text.size);
    for (size_t i = 0; i < text.size; i++) {
        int high = 0, low = 0;
        if (text.data[i] == '%' && (i + 2 >= text.size || (high = arb_hex_digit(text.data[i + 1])) < 0 ||
                                    (low = arb_hex_digit(text.data[i + 2])) < 0))
            return arb_fail(error, ARB_INVALID_PARAMETER, "in an address %% begins two hexadecimal digits");
        to[size++] = text.data[i] == '%' ? (char)(high * 16 + low) : text.data[i];
        i += text.data[i] == '%' ? 2 : 0;
    }
    to[size] = '\0';
    *out = (arb_str){to, size};
    return ARB_OK;
}

/* Take USER:PASSWORD@ off the front. No error shows it. */
static arb_code read_user(arb_arena *arena, arb_str *left, arb_server_url *out, arb_error *error)
{
    const char *at = memrchr(left->data, '@', left->size);
    if (at == NULL)
        return ARB_OK;
    arb_str both = {left->data, (size_t)(at - left->data)};
    const char *colon = memchr(both.data, ':', both.size);
    if (colon == NULL || colon == both.data)
        return arb_fail(error, ARB_INVALID_PARAMETER, "before the @ of an address stands USER:PASSWORD");
    ARB_TRY(decode(arena, (arb_str){both.data, (size_t)(colon - both.data)}, &out->user, error));
    ARB_TRY(decode(arena, (arb_str){colon + 1, (size_t)(at - colon - 1)}, &out->password, error));
    *left = (arb_str){at + 1, left->size - both.size - 1};
    return ARB_OK;
}

arb_code arb_server_url_read(arb_arena *arena, arb_str text, arb_server_url *out_url, arb_error *error)
{
    arb_str left = text, scheme = ARB_STR("arbalest://");
    if (arb_str_starts_with(text, ARB_STR("arbalest+tls://")))
        return arb_fail(error, ARB_NOT_SUPPORTED, "encrypted connections (arbalest+tls) are not there yet");
    if (!arb_str_starts_with(text, scheme))
        return arb_fail(error, ARB_INVALID_PARAMETER, "an address looks like arbalest://HOST:PORT");
    left = (arb_str){text.data + scheme.size, text.size - scheme.size};
    *out_url = (arb_server_url){0};
    ARB_TRY(read_user(arena, &left, out_url, error));
    const char **addresses = ARB_ARENA_ARRAY(arena, const char *, left.size + 1);
    out_url->addresses = addresses;
    for (bool more = addresses != NULL; more;) {
        const char *comma = memchr(left.data, ',', left.size);
        arb_str one = {left.data, comma != NULL ? (size_t)(comma - left.data) : left.size};
        if (comma == NULL && one.size > 0 && one.data[one.size - 1] == '/')
            one.size--;
        if (!is_address(one))
            return arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" is no HOST:PORT", ARB_STR_ARGS(one));
        arb_str copy = arb_str_copy(arena, one);
        if (copy.data == NULL)
            return arb_fail_memory(error, "an address", one.size);
        addresses[out_url->count++] = copy.data;
        more = comma != NULL;
        if (more)
            left = (arb_str){comma + 1, left.size - one.size - 1};
    }
    return addresses != NULL ? ARB_OK : arb_fail_memory(error, "addresses", left.size);
}
