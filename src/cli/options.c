#include "cli/options.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/failpoint.h"
#include "cli/text_file.h"

extern char **environ;

static int complain(int status, const char *format, ...) ARB_PRINTF(2, 3);
static int complain(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("arbalest: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

static int no_memory(void)
{
    return complain(ARB_EXIT_FAILED, "out of memory");
}

/* Values of a lower origin give way; of a higher one stay. */
static bool add(arb_arena *arena, arb_options *options, const arb_flag *flag, arb_str value, arb_option_origin origin)
{
    size_t kept = 0;
    for (size_t i = 0; i < options->items.size; i++) {
        const arb_option *item = &options->items.data[i];
        if (item->flag == flag && (item->origin < origin || !flag->repeats))
            continue;
        options->items.data[kept++] = *item;
    }
    options->items.size = kept;
    return ARB_ARENA_PUSH(arena, &options->items, (arb_option){flag, value, origin});
}

/* Equal but for `_` standing for `-` and, in variables, upper for lower case. */
static bool same_name(arb_str given, const char *name)
{
    if (given.size != strlen(name))
        return false;
    for (size_t i = 0; i < given.size; i++) {
        char c = given.data[i];
        c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c != name[i])
            return false;
    }
    return true;
}

/* Flags of one letter are for the command line alone. */
static const arb_flag *find_key(const arb_command *command, arb_str key)
{
    for (const arb_flag *flag = command->flags; flag->name != NULL; flag++)
        if (flag->name[1] != '\0' && same_name(key, flag->name))
            return flag;
    return NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */
static arb_str trimmed(arb_str text)
{
    while (text.size > 0 && strchr(" \t\r", text.data[0]) != NULL)
        text = (arb_str){text.data + 1, text.size - 1};
    while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]) != NULL)
        text.size--;
    return text;
}

static int read_line(arb_arena *arena, arb_options *options, const char *path, unsigned number, arb_str line,
                     const arb_command **section)
{
    line = trimmed(line);
    if (line.size == 0 || line.data[0] == '#' || line.data[0] == ';')
        return 0;
    if (line.data[0] == '[' && line.data[line.size - 1] == ']') {
        arb_str name = arb_str_copy(arena, trimmed((arb_str){line.data + 1, line.size - 2}));
        if (name.data == NULL)
            return no_memory();
        *section = arb_command_find(name.data);
        return *section != NULL
                   ? 0
                   : complain(ARB_EXIT_CONFIGURATION, "%s:%u: there is no command \"%s\"", path, number, name.data);
    }
    const char *equals = memchr(line.data, '=', line.size);
    if (equals == NULL)
        return complain(ARB_EXIT_CONFIGURATION, "%s:%u: neither [COMMAND] nor KEY = VALUE", path, number);
    arb_str key = trimmed((arb_str){line.data, (size_t)(equals - line.data)});
    arb_str value = arb_str_copy(arena, trimmed((arb_str){equals + 1, line.size - (size_t)(equals + 1 - line.data)}));
    if (value.data == NULL)
        return no_memory();
    if (*section == NULL)
        return complain(ARB_EXIT_CONFIGURATION, "%s:%u: a key before any [COMMAND]", path, number);
    const arb_flag *flag = find_key(*section, key);
    if (flag == NULL)
        return complain(ARB_EXIT_CONFIGURATION, "%s:%u: %s has no key \"%.*s\"", path, number, (*section)->name,
                        ARB_STR_ARGS(key));
    if (*section == options->command && !add(arena, options, flag, value, ARB_FROM_FILE))
        return no_memory();
    return 0;
}

static int read_file(arb_arena *arena, arb_options *options, const char *path)
{
    arb_str text;
    arb_error error = {0};
    if (arb_text_file_read(arena, path, &text, &error) != ARB_OK)
        return complain(ARB_EXIT_CONFIGURATION, "%s", error.message);
    const arb_command *section = NULL;
    unsigned number = 0;
    for (size_t from = 0; from < text.size;) {
        const char *end = memchr(text.data + from, '\n', text.size - from);
        size_t size = end == NULL ? text.size - from : (size_t)(end - text.data) - from;
        int status = read_line(arena, options, path, ++number, (arb_str){text.data + from, size}, &section);
        if (status != 0)
            return status;
        from += size + 1;
    }
    return 0;
}

static int read_files(arb_arena *arena, arb_options *options)
{
    glob_t found;
    int status = 0;
    if (glob("/etc/arbalest/*.conf", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && status == 0; i++)
            status = read_file(arena, options, found.gl_pathv[i]);
    globfree(&found);
    return status;
}

/* ---- environment ------------------------------------------------------------------------------------------------- */
static int read_variable(arb_arena *arena, arb_options *options, const char *variable)
{
    const char *rest = variable + strlen("ARBALEST_"), *equals = strchr(variable, '=');
    if (equals == NULL || equals < rest)
        return 0;
    arb_str name = {rest, (size_t)(equals - rest)}, value = arb_str_of(equals + 1);
    if (arb_str_equal(name, ARB_STR("CPU"))) {
        options->cpu = value;
        return 0;
    }
    if (ARB_FAILPOINTS_VARIABLE(name))
        return 0;
    for (const arb_command *command = arb_commands; command->name != NULL; command++) {
        size_t size = strlen(command->name);
        if (name.size <= size + 1 || name.data[size] != '_' || !same_name((arb_str){name.data, size}, command->name))
            continue;
        const arb_flag *flag = find_key(command, (arb_str){name.data + size + 1, name.size - size - 1});
        if (flag == NULL)
            break;
        if (command != options->command)
            return 0;
        return add(arena, options, flag, value, ARB_FROM_ENVIRONMENT) ? 0 : no_memory();
    }
    return complain(ARB_EXIT_CONFIGURATION, "unknown variable ARBALEST_%.*s", ARB_STR_ARGS(name));
}

/* ---- command line ------------------------------------------------------------------------------------------------ */
static int usage(const arb_command *command, const char *problem, const char *argument)
{
    complain(0, "%s \"%s\"", problem, argument);
    return complain(ARB_EXIT_USAGE, "see: arbalest help %s", command->name);
}

static const arb_flag *find_flag(const arb_command *command, arb_str name)
{
    for (const arb_flag *flag = command->flags; flag->name != NULL; flag++)
        if (arb_str_equal(name, arb_str_of(flag->name)))
            return flag;
    return NULL;
}

/* One argument and, when it has one, its value; `*at` moves on. */
static int read_argument(arb_arena *arena, arb_options *options, char ***at)
{
    const char *argument = *(*at)++;
    bool is_long = argument[0] == '-' && argument[1] == '-';
    if (argument[0] != '-' || argument[1] == '\0')
        return ARB_ARENA_PUSH(arena, &options->operands, arb_str_of(argument)) ? 0 : no_memory();
    const char *equals = is_long ? strchr(argument, '=') : NULL;
    arb_str name = arb_str_of(argument + 2), value = {NULL, 0};
    if (equals != NULL) {
        name.size = (size_t)(equals - argument) - 2;
        value = arb_str_of(equals + 1);
    } else if (!is_long) {
        name = (arb_str){argument + 1, 1};
        if (argument[2] != '\0')
            value = arb_str_of(argument + 2);
    }
    const arb_flag *flag = is_long == (name.size == 1) ? NULL : find_flag(options->command, name);
    if (flag == NULL)
        return usage(options->command, "unknown flag", argument);
    if (flag->argument == NULL && value.data != NULL)
        return usage(options->command, "this flag takes no value:", argument);
    if (flag->argument == NULL)
        value = ARB_STR("true");
    if (value.data == NULL) {
        if (**at == NULL)
            return usage(options->command, "a value is missing behind", argument);
        value = arb_str_of(*(*at)++);
    }
    return add(arena, options, flag, value, ARB_FROM_FLAG) ? 0 : no_memory();
}

int arb_options_read(arb_arena *arena, const arb_command *command, char **arguments, arb_options *out_options)
{
    *out_options = (arb_options){.command = command};
    for (char **at = arguments; *at != NULL;) {
        if (strcmp(*at, "--") == 0) {
            for (at++; *at != NULL; at++)
                if (!ARB_ARENA_PUSH(arena, &out_options->operands, arb_str_of(*at)))
                    return no_memory();
            break;
        }
        int status = read_argument(arena, out_options, &at);
        if (status != 0)
            return status;
    }
    if (out_options->operands.size > 0 && command->operands == NULL)
        return usage(command, "not expected:", out_options->operands.data[0].data);
    arb_options lower = {.command = command};
    int status = read_files(arena, &lower);
    for (char **variable = environ; status == 0 && *variable != NULL; variable++)
        if (strncmp(*variable, "ARBALEST_", strlen("ARBALEST_")) == 0)
            status = read_variable(arena, &lower, *variable);
    if (status != 0)
        return status;
    out_options->cpu = lower.cpu;
    /* What the command line does not say is taken from below. */
    size_t given = out_options->items.size;
    for (size_t i = 0; i < lower.items.size; i++) {
        bool said = false;
        for (size_t j = 0; j < given; j++)
            said = said || out_options->items.data[j].flag == lower.items.data[i].flag;
        if (!said && !ARB_ARENA_PUSH(arena, &out_options->items, lower.items.data[i]))
            return no_memory();
    }
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */
static const arb_option *find_option(const arb_options *options, const char *name)
{
    for (size_t i = options->items.size; i-- > 0;)
        if (strcmp(options->items.data[i].flag->name, name) == 0)
            return &options->items.data[i];
    return NULL;
}

arb_str arb_option_value(const arb_options *options, const char *name)
{
    const arb_option *option = find_option(options, name);
    return option != NULL ? option->value : (arb_str){NULL, 0};
}

arb_option_origin arb_option_origin_of(const arb_options *options, const char *name)
{
    const arb_option *option = find_option(options, name);
    return option != NULL ? option->origin : ARB_FROM_FLAG;
}

bool arb_option_next(const arb_options *options, const char *name, size_t *at, arb_str *out_value)
{
    while (*at < options->items.size) {
        const arb_option *option = &options->items.data[(*at)++];
        if (strcmp(option->flag->name, name) != 0)
            continue;
        *out_value = option->value;
        return true;
    }
    return false;
}

int arb_option_exit_status(const arb_options *options, const char *name)
{
    return arb_option_origin_of(options, name) == ARB_FROM_FLAG ? ARB_EXIT_USAGE : ARB_EXIT_CONFIGURATION;
}
