#include "base/auth_header.h"

#include "base/base64.h"

/* What follows the scheme, whose name may be written in any case. */
static bool after_scheme(arb_str value, arb_str scheme, arb_str *out_rest)
{
    value = arb_str_trimmed(value);
    if (value.size <= scheme.size || !arb_str_equal_nocase((arb_str){value.data, scheme.size}, scheme) ||
        value.data[scheme.size] != ' ')
        return false;
    *out_rest = arb_str_trimmed((arb_str){value.data + scheme.size, value.size - scheme.size});
    return out_rest->size > 0;
}

arb_code arb_auth_read_basic(arb_str value, arb_arena *arena, arb_str *out_user, arb_str *out_password,
                             arb_error *error)
{
    enum { longest = 8192 };
    arb_str encoded;
    size_t size;
    *out_user = *out_password = (arb_str){0};
    if (!after_scheme(value, ARB_STR("Basic"), &encoded) || encoded.size > longest)
        return arb_fail(error, ARB_NOT_AUTHENTICATED, "user and password are expected as \"Basic …\"");
    /* Some clients leave the padding out. */
    size_t padded = arb_round_up(encoded.size, 4);
    char *text = arb_arena_alloc(arena, padded), *plain = arb_arena_alloc(arena, ARB_BASE64_DECODED(padded));
    if (text == NULL || plain == NULL)
        return arb_fail_memory(error, "user and password", padded);
    memcpy(text, encoded.data, encoded.size);
    memset(text + encoded.size, '=', padded - encoded.size);
    if (arb_base64_decode(text, padded, plain, &size) != ARB_BASE64_OK)
        return arb_fail(error, ARB_NOT_AUTHENTICATED, "user and password are not in base64");
    const char *colon = memchr(plain, ':', size);
    if (colon == NULL)
        return arb_fail(error, ARB_NOT_AUTHENTICATED, "there is no colon between user and password");
    *out_user = (arb_str){plain, (size_t)(colon - plain)};
    *out_password = (arb_str){colon + 1, size - out_user->size - 1};
    return ARB_OK;
}

arb_code arb_auth_write_basic(arb_str user, arb_str password, arb_text *out, arb_error *error)
{
    arb_text plain = {0};
    arb_code code;
    if (user.size != 0 && memchr(user.data, ':', user.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a user's name cannot have a colon");
    arb_text_append_str(&plain, user);
    arb_text_append_char(&plain, ':');
    arb_text_append_str(&plain, password);
    ARB_TRY_GOTO(code, arb_text_check(&plain, error), done);
    arb_text_append_str(out, ARB_STR("Basic "));
    char *room = arb_text_room(out, ARB_BASE64_ENCODED(plain.size));
    if (room != NULL) {
        arb_base64_encode(plain.data, plain.size, room);
        arb_text_added(out, ARB_BASE64_ENCODED(plain.size));
    }
    code = arb_text_check(out, error);
done:
    arb_text_reset(&plain);
    return code;
}

bool arb_auth_read_bearer(arb_str value, arb_str *out_token)
{
    *out_token = (arb_str){0};
    return after_scheme(value, ARB_STR("Bearer"), out_token);
}

bool arb_auth_equal(arb_str a, arb_str b)
{
    if (a.size != b.size)
        return false;
    volatile unsigned char differ = 0;
    for (size_t i = 0; i < a.size; i++)
        differ |= (unsigned char)(a.data[i] ^ b.data[i]);
    return differ == 0;
}
