/* Pages of rows, JSON, into columns of text as Arrow lays them out, in one pass over the bytes.

   Graph writes every value of insights as text, or as a list of objects of texts. This reads just
   that, and takes less than JSON allows: whatever else it meets (a number, a key that nobody asked
   for, a key that occurs twice, a byte that is not UTF-8), it declines all that it was given and
   says no more about it. Arrow's reader then reads it, slower, and tells what is wrong.

   reader.py is the other half: `struct column` is declared in both. */

#include <stdlib.h>

#include "json.h"

/* Keys that a page may have: `data`, `paging`, `summary` and few more. */
enum { PAGE_KEYS = 8 };

/* Texts, or lists, whose entries are columns of their own. Text `n` of `length` is `data` from
   `offsets[n]` to `offsets[n + 1]`; of a list the offsets count entries. */
struct column {
    const char *key; /* with its quotes */
    int64_t key_size;
    int64_t first_child, children; /* of a list: how far on its entries' columns are, how many */
    int64_t length, null_count, room; /* in values */
    int64_t data_size, data_room; /* in bytes */
    uint8_t *validity; /* a bit for each value */
    int32_t *offsets;
    uint8_t *data;
};

/* ---- a column grows -------------------------------------------------------------------- */

static int more_values(struct column *column)
{
    size_t had = (size_t)column->room, room = had ? 2 * had : 8;
    int32_t *offsets = realloc(column->offsets, (room + 1) * sizeof *offsets);
    if (!offsets)
        return DECLINED;
    column->offsets = offsets;
    uint8_t *validity = realloc(column->validity, room / 8);
    if (!validity)
        return DECLINED;
    column->validity = validity;
    memset(validity + had / 8, 0, (room - had) / 8);
    offsets[0] = 0;
    column->room = (int64_t)room;
    return TAKEN;
}

static int more_data(struct column *column, int64_t wanted)
{
    size_t room = 2 * (size_t)wanted;
    uint8_t *data = wanted > INT32_MAX ? NULL : realloc(column->data, room);
    if (!data)
        return DECLINED;
    column->data = data;
    column->data_room = (int64_t)room;
    return TAKEN;
}

/* Arrow's offsets have 32 bits: a column that would need more is declined. */
static int append(struct column *column, int64_t end, int valid)
{
    if (end > INT32_MAX || (column->length == column->room && !more_values(column)))
        return DECLINED;
    int64_t n = column->length++;
    column->offsets[n + 1] = (int32_t)end;
    column->validity[n / 8] |= (uint8_t)(valid << n % 8);
    column->null_count += !valid;
    return TAKEN;
}

static int64_t end_of(const struct column *column)
{
    return column->length ? column->offsets[column->length] : 0;
}

static int append_bytes(struct column *column, const uint8_t *bytes, int64_t size)
{
    if (!size)
        return TAKEN;
    if (column->data_room - column->data_size < size && !more_data(column, column->data_size + size))
        return DECLINED;
    memcpy(column->data + column->data_size, bytes, (size_t)size);
    column->data_size += size;
    return TAKEN;
}

/* ---- values ---------------------------------------------------------------------------- */

/* A text past its opening quote. */
static int take_text(struct cursor *cursor, struct column *column)
{
    for (;;) {
        const uint8_t *start = cursor->at;
        cursor->at = plain_end(cursor);
        if (!append_bytes(column, start, cursor->at - start))
            return DECLINED;
        if (*cursor->at == '"')
            break;
        uint8_t character[4];
        int size = take_character(cursor, character);
        if (!size || !append_bytes(column, character, size))
            return DECLINED;
    }
    cursor->at++;
    return append(column, column->data_size, 1);
}

static int take_fields(struct cursor *cursor, struct column *columns, int64_t count, int64_t row);

/* A list past its bracket. */
static int take_list(struct cursor *cursor, struct column *list)
{
    struct column *entries = list + list->first_child;
    int64_t end = end_of(list);
    if (!take(cursor, ']')) {
        do
            if (!take(cursor, '{') || !take_fields(cursor, entries, list->children, end++))
                return DECLINED;
        while (take(cursor, ','));
        if (!take(cursor, ']'))
            return DECLINED;
    }
    return append(list, end, 1);
}

static int take_value(struct cursor *cursor, struct column *column)
{
    skip_blank(cursor);
    if (*cursor->at == 'n')
        return take_word(cursor, "null") && append(column, end_of(column), 0);
    if (column->children)
        return take(cursor, '[') && take_list(cursor, column);
    return take(cursor, '"') && take_text(cursor, column);
}

/* Which column's key stands here, -1 if none's. Keys come in the same order row by row, so `next`,
   the one after the last, nearly always is it. */
static int64_t take_key(
    struct cursor *cursor, const struct column *columns, int64_t count, int64_t next)
{
    skip_blank(cursor);
    for (int64_t n = 0; n < count; n++, next++) {
        next = next < count ? next : 0;
        int64_t size = columns[next].key_size;
        if (cursor->end - cursor->at >= size
            && !memcmp(cursor->at, columns[next].key, (size_t)size)) {
            cursor->at += size;
            return next;
        }
    }
    return -1;
}

/* An object past its brace: a value or null for each of its columns, which have `row` so far. */
static int take_fields(struct cursor *cursor, struct column *columns, int64_t count, int64_t row)
{
    int64_t n = -1;
    if (!take(cursor, '}')) {
        do {
            n = take_key(cursor, columns, count, n + 1);
            if (n < 0 || columns[n].length != row) /* with more than that, its key stands twice */
                return DECLINED;
            if (!take(cursor, ':') || !take_value(cursor, columns + n))
                return DECLINED;
        } while (take(cursor, ','));
        if (!take(cursor, '}'))
            return DECLINED;
    }
    for (n = 0; n < count; n++)
        if (columns[n].length == row && !append(columns + n, end_of(columns + n), 0))
            return DECLINED;
    return TAKEN;
}

/* ---- pages ----------------------------------------------------------------------------- */

static int take_rows(struct cursor *cursor, struct column *columns, int64_t count, int64_t *rows)
{
    if (!take(cursor, '['))
        return DECLINED;
    if (take(cursor, ']'))
        return TAKEN;
    do
        if (!take(cursor, '{') || !take_fields(cursor, columns, count, (*rows)++))
            return DECLINED;
    while (take(cursor, ','));
    return take(cursor, ']');
}

struct slice {
    const uint8_t *start;
    size_t size;
};

static int same(struct slice one, struct slice other)
{
    return one.size == other.size && !memcmp(one.start, other.start, one.size);
}

/* A key of the page itself, which is none of those before it. */
static int take_page_key(struct cursor *cursor, struct slice *keys, int before)
{
    if (before == PAGE_KEYS || !take(cursor, '"'))
        return DECLINED;
    const uint8_t *end = plain_end(cursor);
    keys[before] = (struct slice){cursor->at, (size_t)(end - cursor->at)};
    for (int n = 0; n < before; n++)
        if (same(keys[n], keys[before]))
            return DECLINED;
    cursor->at = end;
    return *end == '"' && (cursor->at++, take(cursor, ':'));
}

static int take_page(struct cursor *cursor, struct column *columns, int64_t count, int64_t *rows)
{
    const struct slice data = {(const uint8_t *)"data", 4};
    struct slice keys[PAGE_KEYS];
    int n = 0, has_data = 0;
    if (!take(cursor, '{'))
        return DECLINED;
    do {
        if (!take_page_key(cursor, keys, n))
            return DECLINED;
        int is_data = same(keys[n++], data);
        if (!(is_data ? take_rows(cursor, columns, count, rows) : skip_value(cursor, 0)))
            return DECLINED;
        has_data |= is_data;
    } while (take(cursor, ','));
    if (!take(cursor, '}'))
        return DECLINED;
    skip_blank(cursor);
    return has_data && cursor->at == cursor->end;
}

/* ---- what reader.py calls -------------------------------------------------------------- */

void fbinsights_free(void *memory)
{
    free(memory);
}

/* Give back what was got in advance. */
static void fit(struct column *column)
{
    size_t offsets = ((size_t)column->length + 1) * sizeof *column->offsets;
    void *smaller = column->offsets ? realloc(column->offsets, offsets) : NULL;
    column->offsets = smaller ? smaller : column->offsets;
    smaller = column->data ? realloc(column->data, (size_t)column->data_size) : NULL;
    column->data = smaller ? smaller : column->data;
}

static void drop(struct column *column)
{
    free(column->validity);
    free(column->offsets);
    free(column->data);
}

/* Read `body_count` bodies into `all` columns: the `count` of a row, then those of lists' entries.
   Returns the number of rows, and passes the memory of the columns (none where there was no value) to
   the caller; or returns -1 and passes none, when a body is declined. */
int64_t fbinsights_read(
    struct column *columns, int64_t count, int64_t all,
    const uint8_t *const *bodies, const int64_t *sizes, int64_t body_count)
{
    int64_t rows = 0;
    int taken = TAKEN;
    for (int64_t n = 0; taken && n < body_count; n++) {
        struct cursor cursor = {bodies[n], bodies[n] + sizes[n]};
        taken = take_page(&cursor, columns, count, &rows);
    }
    for (int64_t n = 0; n < all; n++)
        (taken ? fit : drop)(columns + n);
    return taken ? rows : -1;
}
