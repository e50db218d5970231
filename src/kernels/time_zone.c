/* time_zone.c: see time_zone.h.
 *
 * A file has the transitions up to some year, each with the number of the kind of time (offset, abbreviation) that begins
 * there, and in a last line the rule for all later ones, as POSIX writes it: "CET-1CEST,M3.5.0,M10.5.0/3". The first
 * block, of 32 bits, is skipped. All numbers in it are checked before use: the file may be anything. */
#include "kernels/time_zone.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "columnar/calendar.h"

enum { file_bytes_most = 1 << 20, abbreviation_most = 16 };

typedef struct zone_kind {
    int32_t offset; /* seconds east */
    char abbreviation[abbreviation_most];
} zone_kind;

/* A day of each year when the rule changes over, and the local second of it. */
typedef struct zone_change {
    char form; /* 'M': month, week, weekday; 'J': day 1 to 365 without 29 February; '0': day 0 to 365 */
    int month, week, day;
    int32_t second;
} zone_change;

struct arb_zone {
    size_t transition_count;
    int64_t *transitions; /* ascending, in UTC seconds */
    uint8_t *kinds_after;
    size_t kind_count;
    zone_kind *kinds;
    bool has_rule, rule_changes;
    zone_kind rule_standard, rule_summer;
    zone_change summer_starts, summer_ends;
};

void arb_zone_destroy(arb_zone *zone)
{
    if (zone == NULL)
        return;
    arb_free(zone->transitions);
    arb_free(zone->kinds_after);
    arb_free(zone->kinds);
    arb_free(zone);
}

/* ---- the rule ----------------------------------------------------------------------------------------------------------- */

typedef struct rule_text {
    const char *at, *end;
} rule_text;

static char peek(const rule_text *text)
{
    return text->at < text->end ? *text->at : '\0';
}

static bool take(rule_text *text, char c)
{
    if (peek(text) != c || text->at == text->end)
        return false;
    text->at++;
    return true;
}

static bool take_number(rule_text *text, int most, int *out)
{
    int value = 0;
    if (peek(text) < '0' || peek(text) > '9')
        return false;
    for (; peek(text) >= '0' && peek(text) <= '9'; text->at++)
        if ((value = value * 10 + (*text->at - '0')) > most)
            return false;
    *out = value;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_seconds(rule_text *text, int32_t *out)
{
    bool negative = take(text, '-');
    int hours, minutes = 0, seconds = 0;
    if (!negative)
        (void)take(text, '+');
    if (!take_number(text, 167, &hours) || (take(text, ':') && !take_number(text, 59, &minutes)) ||
        (take(text, ':') && !take_number(text, 59, &seconds)))
        return false;
    *out = hours * 3600 + minutes * 60 + seconds;
    *out = negative ? -*out : *out;
    return true;
}

static bool take_name(rule_text *text, zone_kind *out)
{
    bool quoted = take(text, '<');
    size_t size = 0;
    for (; text->at < text->end; text->at++) {
        char c = *text->at;
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-';
        if (!letter && !(quoted && other))
            break;
        if (size + 1 < abbreviation_most)
            out->abbreviation[size++] = c;
    }
    out->abbreviation[size] = '\0';
    return size != 0 && (!quoted || take(text, '>'));
}

static bool take_change(rule_text *text, zone_change *out)
{
    *out = (zone_change){.form = '0', .second = 7200};
    if (take(text, 'M')) {
        out->form = 'M';
        if (!take_number(text, 12, &out->month) || !take(text, '.') || !take_number(text, 5, &out->week) ||
            !take(text, '.') || !take_number(text, 6, &out->day) || out->month == 0 || out->week == 0)
            return false;
    } else {
        if (take(text, 'J'))
            out->form = 'J';
        if (!take_number(text, 365, &out->day))
            return false;
    }
    return !take(text, '/') || take_seconds(text, &out->second);
}

static bool read_rule(arb_zone *zone, const char *at, const char *end)
{
    rule_text text = {at, end};
    if (at == end)
        return true;
    if (!take_name(&text, &zone->rule_standard) || !take_seconds(&text, &zone->rule_standard.offset))
        return false;
    zone->rule_standard.offset = -zone->rule_standard.offset; /* POSIX counts west */
    zone->has_rule = true;
    if (text.at == text.end)
        return true;
    if (!take_name(&text, &zone->rule_summer))
        return false;
    zone->rule_summer.offset = zone->rule_standard.offset + 3600;
    if (peek(&text) != ',') {
        if (!take_seconds(&text, &zone->rule_summer.offset))
            return false;
        zone->rule_summer.offset = -zone->rule_summer.offset;
    }
    zone->rule_changes = true;
    return take(&text, ',') && take_change(&text, &zone->summer_starts) && take(&text, ',') &&
           take_change(&text, &zone->summer_ends) && text.at == text.end;
}

/* Local second since 1970 at which the change comes in that year. */
static int64_t change_in_year(const zone_change *change, int64_t year)
{
    int64_t day;
    if (change->form == 'M') {
        int64_t first = arb_days_from_civil(year, change->month, 1);
        day = first + arb_floor_modulo(change->day - arb_weekday(first), 7) + (int64_t)(change->week - 1) * 7;
        if (day >= first + arb_days_of_month(year, change->month))
            day -= 7; /* week 5 is the last one */
    } else {
        day = arb_days_from_civil(year, 1, 1) + change->day - (change->form == 'J');
        if (change->form == 'J' && arb_is_leap_year(year) && change->day >= 60)
            day++;
    }
    return day * 86400 + change->second;
}

static const zone_kind *kind_by_rule(const arb_zone *zone, int64_t utc)
{
    if (!zone->rule_changes)
        return &zone->rule_standard;
    int64_t year = arb_civil_from_days(arb_floor_divide(utc + zone->rule_standard.offset, 86400)).year;
    int64_t starts = change_in_year(&zone->summer_starts, year) - zone->rule_standard.offset;
    int64_t ends = change_in_year(&zone->summer_ends, year) - zone->rule_summer.offset;
    bool summer = starts <= ends ? utc >= starts && utc < ends : utc >= starts || utc < ends;
    return summer ? &zone->rule_summer : &zone->rule_standard;
}

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

typedef struct file_view {
    const uint8_t *at, *end;
} file_view;

static uint32_t big_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t big_i64(const uint8_t *at)
{
    return (int64_t)((uint64_t)big_u32(at) << 32 | big_u32(at + 4));
}

typedef struct file_header {
    char version;
    uint32_t utc_flags, standard_flags, leaps, transitions, kinds, characters;
} file_header;

static bool take_header(file_view *file, file_header *out)
{
    if (file->end - file->at < 44 || memcmp(file->at, "TZif", 4) != 0)
        return false;
    const uint8_t *counts = file->at + 20;
    *out = (file_header){(char)file->at[4],    big_u32(counts),      big_u32(counts + 4), big_u32(counts + 8),
                         big_u32(counts + 12), big_u32(counts + 16), big_u32(counts + 20)};
    file->at += 44;
    return out->utc_flags <= 256 && out->standard_flags <= 256 && out->leaps <= 1000 && out->transitions <= 100000 &&
           out->kinds <= 256 && out->characters <= 65536;
}

static size_t block_size(const file_header *header, size_t time_size)
{
    return header->transitions * (time_size + 1) + header->kinds * (size_t)6 + header->characters +
           header->leaps * (time_size + 4) + header->standard_flags + header->utc_flags;
}

static bool read_block(arb_zone *zone, const uint8_t *at, const file_header *header)
{
    const uint8_t *indices = at + header->transitions * (size_t)8, *kinds = indices + header->transitions;
    const uint8_t *characters = kinds + header->kinds * (size_t)6;
    for (uint32_t i = 0; i < header->transitions; i++) {
        zone->transitions[i] = big_i64(at + i * (size_t)8);
        zone->kinds_after[i] = indices[i];
        if (indices[i] >= header->kinds || (i != 0 && zone->transitions[i] <= zone->transitions[i - 1]))
            return false;
    }
    for (uint32_t i = 0; i < header->kinds; i++) {
        zone_kind *kind = &zone->kinds[i];
        kind->offset = (int32_t)big_u32(kinds + i * (size_t)6);
        if (kind->offset < -100000 || kind->offset > 100000)
            return false;
        size_t size = 0;
        for (uint32_t from = kinds[i * (size_t)6 + 5]; from < header->characters && characters[from] != 0; from++)
            if (size + 1 < abbreviation_most)
                kind->abbreviation[size++] = (char)characters[from];
        kind->abbreviation[size] = '\0';
    }
    return true;
}

static arb_code no_zone_file(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "not a zone's file");
}

static arb_code fill_zone(arb_zone *zone, const uint8_t *data, size_t size, arb_error *error)
{
    file_view file = {data, data + size};
    file_header header;
    if (!take_header(&file, &header) || header.version < '2' || (size_t)(file.end - file.at) < block_size(&header, 4))
        return no_zone_file(error);
    file.at += block_size(&header, 4);
    if (!take_header(&file, &header) || header.kinds == 0 || (size_t)(file.end - file.at) < block_size(&header, 8))
        return no_zone_file(error);
    zone->transition_count = header.transitions;
    zone->kind_count = header.kinds;
    zone->transitions = arb_alloc_zeroed((header.transitions + (size_t)1) * sizeof *zone->transitions);
    zone->kinds_after = arb_alloc_zeroed(header.transitions + (size_t)1);
    zone->kinds = arb_alloc_zeroed(header.kinds * sizeof *zone->kinds);
    if (zone->transitions == NULL || zone->kinds_after == NULL || zone->kinds == NULL)
        return arb_fail_memory(error, "a time zone", size);
    if (!read_block(zone, file.at, &header))
        return no_zone_file(error);
    file.at += block_size(&header, 8);
    if (file.at == file.end || *file.at++ != '\n')
        return ARB_OK;
    const uint8_t *line_end = memchr(file.at, '\n', (size_t)(file.end - file.at));
    bool good = line_end != NULL && read_rule(zone, (const char *)file.at, (const char *)line_end);
    return good ? ARB_OK : no_zone_file(error);
}

arb_code arb_zone_read(const void *data, size_t size, arb_zone **out_zone, arb_error *error)
{
    *out_zone = NULL;
    arb_zone *zone = arb_alloc_zeroed(sizeof *zone);
    if (zone == NULL)
        return arb_fail_memory(error, "a time zone", sizeof *zone);
    arb_code code = fill_zone(zone, data, size, error);
    if (code == ARB_OK)
        *out_zone = zone;
    else
        arb_zone_destroy(zone);
    return code;
}

static bool is_name(arb_str name)
{
    if (name.size == 0 || name.size > 64 || name.data[0] == '/' || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '/' && c != '_' && c != '-' && c != '+')
            return false; /* no dots, so no way out of the folder */
    }
    return true;
}

static arb_code load_file(arb_str name, arb_zone **out_zone, arb_error *error)
{
    char path[128];
    static const char folder[] = "/usr/share/zoneinfo/";
    memcpy(path, folder, sizeof folder - 1);
    memcpy(path + sizeof folder - 1, name.data, name.size);
    path[sizeof folder - 1 + name.size] = '\0';
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return arb_fail(error, ARB_INVALID_PARAMETER, "time zone \"%.*s\" is not known", ARB_STR_ARGS(name));
    uint8_t *data = arb_alloc(file_bytes_most);
    size_t size = 0;
    ssize_t got = data == NULL ? 0 : 1;
    while (got > 0 && size < file_bytes_most) {
        got = read(file, data + size, file_bytes_most - size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            size += (size_t)got;
    }
    close(file);
    arb_code code = data == NULL ? arb_fail_memory(error, "a time zone", file_bytes_most)
                    : got != 0   ? no_zone_file(error)
                                 : arb_zone_read(data, size, out_zone, error);
    arb_free(data);
    if (code == ARB_CORRUPT_DATA)
        return arb_fail(error, ARB_INVALID_PARAMETER, "time zone \"%.*s\" is not known: %s is not a zone's file",
                        ARB_STR_ARGS(name), path);
    return code;
}

/* "+02", "-05:30", "UTC": one kind of time for ever. */
static bool read_offset(arb_str name, zone_kind *out)
{
    rule_text text = {name.data, name.data + name.size};
    *out = (zone_kind){.abbreviation = "UTC"};
    if (arb_str_equal_nocase(name, ARB_STR("UTC")) || arb_str_equal_nocase(name, ARB_STR("Z")))
        return true;
    bool sign = peek(&text) == '+' || peek(&text) == '-';
    return sign && take_seconds(&text, &out->offset) && text.at == text.end && out->offset > -16 * 3600 &&
           out->offset < 16 * 3600;
}

arb_code arb_zone_load(arb_str name, arb_zone **out_zone, arb_error *error)
{
    *out_zone = NULL;
    zone_kind fixed;
    if (!read_offset(name, &fixed))
        return is_name(name)
                   ? load_file(name, out_zone, error)
                   : arb_fail(error, ARB_INVALID_PARAMETER, "time zone \"%.*s\" is not known", ARB_STR_ARGS(name));
    arb_zone *zone = arb_alloc_zeroed(sizeof *zone);
    if (zone == NULL)
        return arb_fail_memory(error, "a time zone", sizeof *zone);
    zone->has_rule = true;
    zone->rule_standard = fixed;
    *out_zone = zone;
    return ARB_OK;
}

/* ---- looking up --------------------------------------------------------------------------------------------------------- */

static const zone_kind *kind_at(const arb_zone *zone, int64_t utc)
{
    size_t low = 0, high = zone->transition_count; /* the number of transitions at or before that time */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle] <= utc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->transition_count && zone->has_rule)
        return kind_by_rule(zone, utc);
    return &zone->kinds[low == 0 ? 0 : zone->kinds_after[low - 1]];
}

int64_t arb_zone_offset(const arb_zone *zone, int64_t utc_seconds)
{
    return kind_at(zone, utc_seconds)->offset;
}

const char *arb_zone_abbreviation(const arb_zone *zone, int64_t utc_seconds)
{
    return kind_at(zone, utc_seconds)->abbreviation;
}

int64_t arb_zone_to_utc(const arb_zone *zone, int64_t local_seconds)
{
    int64_t before = arb_zone_offset(zone, local_seconds - 86400), after = arb_zone_offset(zone, local_seconds + 86400);
    bool before_fits = arb_zone_offset(zone, local_seconds - before) == before;
    bool after_fits = arb_zone_offset(zone, local_seconds - after) == after;
    if (before_fits != after_fits)
        return local_seconds - (before_fits ? before : after);
    return local_seconds - (before_fits ? after : before);
}
