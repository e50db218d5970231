#include "cli/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE = 64 << 10, BYTES_MOST = 1 << 30 };

static arb_code read_all(int descriptor, const char *path, arb_text *text, arb_error *error)
{
    for (;;) {
        char *to = arb_text_room(text, PIECE);
        if (to == NULL)
            return arb_text_check(text, error);
        ssize_t got = read(descriptor, to, PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arb_fail_errno(error, errno, "cannot read %s", path);
        if (got == 0)
            return ARB_OK;
        arb_text_added(text, (size_t)got);
        if (text->size > BYTES_MOST)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "%s is longer than 1 GiB", path);
    }
}

arb_code arb_text_file_read(arb_arena *arena, const char *path, arb_str *out_text, arb_error *error)
{
    *out_text = (arb_str){"", 0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return arb_fail_errno(error, errno, "cannot open %s", path);
    arb_text text = {0};
    arb_code code = read_all(descriptor, path, &text, error);
    close(descriptor);
    if (code == ARB_OK) {
        *out_text = arb_str_copy(arena, arb_text_view(&text));
        if (out_text->data == NULL)
            code = arb_fail_memory(error, "a file's text", text.size);
    }
    arb_text_reset(&text);
    return code;
}
