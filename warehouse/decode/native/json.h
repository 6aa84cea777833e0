/* JSON, byte by byte: what reader.c needs to take some values and to skip others. Source: RFC 8259.

   A text is followed by a zero byte, as Python's `bytes` are. No zero is valid anywhere in JSON, so
   a step that looks at one byte after the other cannot go past it. */

#include <stdint.h>
#include <string.h>

enum { DECLINED, TAKEN };

/* Nothing that is skipped nests deeper. Graph's `paging` has two levels. */
enum { DEEPEST = 16 };

struct cursor {
    const uint8_t *at, *end;
};

static void skip_blank(struct cursor *cursor)
{
    while (*cursor->at == ' ' || *cursor->at == '\n' || *cursor->at == '\r' || *cursor->at == '\t')
        cursor->at++;
}

static int take(struct cursor *cursor, char wanted)
{
    skip_blank(cursor);
    if (*cursor->at != (uint8_t)wanted)
        return DECLINED;
    cursor->at++;
    return TAKEN;
}

static int take_word(struct cursor *cursor, const char *word)
{
    for (; *word; word++, cursor->at++)
        if (*cursor->at != (uint8_t)*word)
            return DECLINED;
    return TAKEN;
}

/* Bytes of a text that mean themselves: no quote, backslash or control character, ASCII. */
static int is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Whether eight bytes are plain. A byte that borrows from the next is none itself. */
static int are_plain(const uint8_t *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return !((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops);
}

/* Where plain bytes end. */
static const uint8_t *plain_end(const struct cursor *cursor)
{
    const uint8_t *at = cursor->at;
    while (cursor->end - at >= 8 && are_plain(at))
        at += 8;
    while (is_plain(*at))
        at++;
    return at;
}

static int is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Bytes of the character that starts here, 0 if it is none. Source: RFC 3629, section 4. */
static int utf8_size(const uint8_t *at)
{
    if (at[0] < 0xC2 || at[0] > 0xF4 || !is_tail(at[1]))
        return 0;
    if (at[0] < 0xE0)
        return 2;
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) || !is_tail(at[2]))
        return 0;
    if (at[0] < 0xF0)
        return 3;
    if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F) || !is_tail(at[3]))
        return 0;
    return 4;
}

static int utf8_write(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    int size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int n = size - 1; n > 0; n--, code >>= 6)
        out[n] = 0x80 | (code & 0x3F);
    out[0] = (uint8_t)(code | (0xF00 >> size));
    return size;
}

/* Four hexadecimal digits. */
static int take_hex(struct cursor *cursor, uint32_t *code)
{
    *code = 0;
    for (int n = 0; n < 4; n++, cursor->at++) {
        uint8_t byte = *cursor->at, letter = byte | 0x20;
        if (byte >= '0' && byte <= '9')
            *code = *code << 4 | (uint32_t)(byte - '0');
        else if (letter >= 'a' && letter <= 'f')
            *code = *code << 4 | (uint32_t)(letter - 'a' + 10);
        else
            return DECLINED;
    }
    return TAKEN;
}

/* What follows \u: one unit of UTF-16, or two that make a character. */
static int take_unicode(struct cursor *cursor, uint32_t *code)
{
    uint32_t low;
    if (!take_hex(cursor, code) || (*code >= 0xDC00 && *code < 0xE000))
        return DECLINED;
    if (*code < 0xD800 || *code >= 0xE000)
        return TAKEN;
    if (!take_word(cursor, "\\u") || !take_hex(cursor, &low) || low < 0xDC00 || low >= 0xE000)
        return DECLINED;
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return TAKEN;
}

/* The character after a backslash. */
static int take_escape(struct cursor *cursor, uint32_t *code)
{
    static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    uint8_t byte = *cursor->at;
    const char *found = byte ? strchr(written, byte) : NULL;
    if (!found && byte != 'u')
        return DECLINED;
    cursor->at++;
    if (!found)
        return take_unicode(cursor, code);
    *code = (uint8_t)meant[found - written];
    return TAKEN;
}

/* One character that is not plain, into `out`, which has room for four bytes; its size there. */
static int take_character(struct cursor *cursor, uint8_t *out)
{
    uint32_t code;
    if (*cursor->at == '\\') {
        cursor->at++;
        return take_escape(cursor, &code) ? utf8_write(code, out) : 0;
    }
    int size = utf8_size(cursor->at);
    memcpy(out, cursor->at, (size_t)size);
    cursor->at += size;
    return size;
}

/* A text past its opening quote. */
static int skip_text(struct cursor *cursor)
{
    uint8_t character[4];
    while (cursor->at = plain_end(cursor), *cursor->at != '"')
        if (!take_character(cursor, character))
            return DECLINED;
    cursor->at++;
    return TAKEN;
}

static int skip_digits(struct cursor *cursor)
{
    const uint8_t *start = cursor->at;
    while (*cursor->at >= '0' && *cursor->at <= '9')
        cursor->at++;
    return cursor->at > start;
}

static int skip_number(struct cursor *cursor)
{
    if (*cursor->at == '-')
        cursor->at++;
    if (*cursor->at == '0')
        cursor->at++;
    else if (!skip_digits(cursor))
        return DECLINED;
    if (*cursor->at == '.' && (cursor->at++, !skip_digits(cursor)))
        return DECLINED;
    if (*cursor->at != 'e' && *cursor->at != 'E')
        return TAKEN;
    cursor->at++;
    if (*cursor->at == '+' || *cursor->at == '-')
        cursor->at++;
    return skip_digits(cursor);
}

static int skip_value(struct cursor *cursor, int depth);

static int skip_members(struct cursor *cursor, char close, int depth)
{
    if (depth == DEEPEST)
        return DECLINED;
    if (take(cursor, close))
        return TAKEN;
    do {
        if (close == '}'
            && !(take(cursor, '"') && skip_text(cursor) && take(cursor, ':')))
            return DECLINED;
        if (!skip_value(cursor, depth + 1))
            return DECLINED;
    } while (take(cursor, ','));
    return take(cursor, close);
}

static int skip_value(struct cursor *cursor, int depth)
{
    skip_blank(cursor);
    switch (*cursor->at) {
    case '"': cursor->at++; return skip_text(cursor);
    case '{': cursor->at++; return skip_members(cursor, '}', depth);
    case '[': cursor->at++; return skip_members(cursor, ']', depth);
    case 't': return take_word(cursor, "true");
    case 'f': return take_word(cursor, "false");
    case 'n': return take_word(cursor, "null");
    default: return skip_number(cursor);
    }
}

