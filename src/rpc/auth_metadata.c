#include "rpc/auth_metadata.h"

/* The next part of "a; b; c"; false at the end. */
static bool next_part(arb_str *rest, arb_str *out_part)
{
    if (rest->size == 0)
        return false;
    const char *semicolon = memchr(rest->data, ';', rest->size);
    size_t size = semicolon != NULL ? (size_t)(semicolon - rest->data) : rest->size;
    *out_part = arb_str_trimmed((arb_str){rest->data, size});
    size_t used = size + (semicolon != NULL);
    *rest = (arb_str){rest->data + used, rest->size - used};
    return true;
}

static bool split_pair(arb_str part, arb_str *out_name, arb_str *out_value)
{
    const char *equal = part.size != 0 ? memchr(part.data, '=', part.size) : NULL;
    if (equal == NULL)
        return false;
    *out_name = arb_str_trimmed((arb_str){part.data, (size_t)(equal - part.data)});
    *out_value = arb_str_trimmed((arb_str){equal + 1, part.size - (size_t)(equal - part.data) - 1});
    return out_name->size > 0;
}

arb_str arb_cookie_find(const arb_rpc_metadata *headers, arb_str name)
{
    for (size_t i = 0; i < headers->size; i++) {
        arb_str rest = headers->data[i].value, part, found, value;
        if (!arb_str_equal(headers->data[i].name, ARB_STR("cookie")))
            continue;
        while (next_part(&rest, &part))
            if (split_pair(part, &found, &value) && arb_str_equal(found, name))
                return value;
    }
    return (arb_str){0};
}

static bool is_over(arb_str attributes)
{
    arb_str part, name, value;
    while (next_part(&attributes, &part))
        if (split_pair(part, &name, &value) && arb_str_equal_nocase(name, ARB_STR("Max-Age")))
            return value.size == 0 || value.data[0] == '-' || value.data[0] == '0';
    return false;
}

static arb_text *find_kept(arb_cookie_jar *jar, arb_str name)
{
    for (size_t i = 0; i < jar->cookies.size; i++) {
        arb_str kept, value;
        if (split_pair(arb_text_view(&jar->cookies.data[i]), &kept, &value) && arb_str_equal(kept, name))
            return &jar->cookies.data[i];
    }
    return NULL;
}

static void forget(arb_cookie_jar *jar, arb_str name)
{
    arb_text *kept = find_kept(jar, name);
    if (kept == NULL)
        return;
    arb_text_reset(kept);
    *kept = jar->cookies.data[--jar->cookies.size];
}

/* In place of the one with the same name, which stays if this fails. */
static arb_code keep(arb_cookie_jar *jar, arb_str name, arb_str value, arb_error *error)
{
    enum { most = 64 };
    arb_text cookie = {0}, *old = find_kept(jar, name);
    if (old == NULL && jar->cookies.size == most)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "the server has set more than %d cookies", most);
    arb_text_append_str(&cookie, name);
    arb_text_append_char(&cookie, '=');
    arb_text_append_str(&cookie, value);
    if (!cookie.failed && old != NULL) {
        arb_text_reset(old);
        *old = cookie;
        return ARB_OK;
    }
    if (!cookie.failed && ARB_VEC_PUSH(&jar->cookies, cookie))
        return ARB_OK;
    arb_text_reset(&cookie);
    return arb_fail_memory(error, "a cookie", name.size + value.size);
}

arb_code arb_cookie_jar_take(arb_cookie_jar *jar, const arb_rpc_metadata *headers, arb_error *error)
{
    for (size_t i = 0; i < headers->size; i++) {
        arb_str rest = headers->data[i].value, part, name, value;
        if (!arb_str_equal(headers->data[i].name, ARB_STR("set-cookie")) || !next_part(&rest, &part) ||
            !split_pair(part, &name, &value))
            continue;
        if (is_over(rest))
            forget(jar, name);
        else
            ARB_TRY(keep(jar, name, value, error));
    }
    return ARB_OK;
}

void arb_cookie_jar_write(const arb_cookie_jar *jar, arb_text *out)
{
    for (size_t i = 0; i < jar->cookies.size; i++) {
        if (i > 0)
            arb_text_append_str(out, ARB_STR("; "));
        arb_text_append_str(out, arb_text_view(&jar->cookies.data[i]));
    }
}

void arb_cookie_jar_reset(arb_cookie_jar *jar)
{
    for (size_t i = 0; i < jar->cookies.size; i++)
        arb_text_reset(&jar->cookies.data[i]);
    ARB_VEC_RESET(&jar->cookies);
}
