/* Bodies with anything wrong, given to the reader of warehouse/decode/native/reader.c from memory that ends where
   they end, which the compiler's sanitizers watch. Now and then there is no memory left.

   fuzz PAGE TIMES SEED: reads mutants of the page in that file. Prints how many were taken.
   Aborts when the reader touches what is not its own, forgets memory, or gives offsets that do not
   fit. tests/warehouse/decode/test_fuzz.py compiles and runs it; so does `make fuzz`, for longer. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t blocks; /* that are in use */
static int scarce;     /* whether memory may be refused */

static uint64_t state = 88172645463325252;

static uint64_t below(uint64_t end)
{
    state ^= state << 13; /* Marsaglia, Xorshift RNGs, 2003 */
    state ^= state >> 7;
    state ^= state << 17;
    return state % end;
}

static void *counted_realloc(void *memory, size_t size)
{
    if (scarce && !below(8))
        return NULL;
    blocks += !memory;
    return realloc(memory, size);
}

static void counted_free(void *memory)
{
    blocks -= !!memory;
    free(memory);
}

#define realloc counted_realloc
#define free counted_free
#include "reader.c"
#undef realloc
#undef free

static void demand(int holds, const char *otherwise)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", otherwise);
    abort();
}

/* Change up to four places: cut off, leave out, say again, write over. */
static size_t mutate(uint8_t *body, size_t size, size_t room)
{
    static const char bytes[] = "\"\\{}[]:,u0dD8cC-.eEntf \n\x80\xbf\xc3\xe2\xed\xf0\xf4\xff";
    for (uint64_t n = below(5); n > 0 && size; n--) {
        size_t at = below(size), some = below(16);
        some = some < size - at ? some : size - at;
        switch (below(8)) {
        case 0:
            size = below(4) ? size : at;
            break;
        case 1:
            memmove(body + at, body + at + some, size - at - some);
            size -= some;
            break;
        case 2:
            if (size + some > room)
                break;
            memmove(body + at + some, body + at, size - at);
            size += some;
            break;
        case 3:
            body[at] = (uint8_t)below(256);
            break;
        default:
            body[at] = (uint8_t)bytes[below(sizeof bytes)];
        }
    }
    return size;
}

static void check(const struct column *column)
{
    int64_t nulls = 0;
    for (int64_t n = 0; n < column->length; n++) {
        nulls += !(column->validity[n / 8] >> n % 8 & 1);
        demand(column->offsets[n] <= column->offsets[n + 1], "offsets go back");
    }
    demand(nulls == column->null_count, "nulls are miscounted");
    if (!column->length)
        return;
    int64_t end = column->children ? column[column->first_child].length : column->data_size;
    demand(column->offsets[0] == 0 && column->offsets[column->length] == end, "offsets do not fit");
    for (int64_t n = 0; n < column->data_size; n++)
        below(1 + column->data[n]); /* all of it is there to be read */
}

static int64_t read_once(const uint8_t *const *bodies, const int64_t *sizes, int64_t count)
{
    struct column columns[] = {
        {.key = "\"ad_id\"", .key_size = 7},
        {.key = "\"actions\"", .key_size = 9, .first_child = 2, .children = 2},
        {.key = "\"ad_name\"", .key_size = 9},
        {.key = "\"action_type\"", .key_size = 13},
        {.key = "\"value\"", .key_size = 7},
    };
    int64_t rows = fbinsights_read(columns, 3, 5, bodies, sizes, count);
    for (int n = 0; n < 5 && rows >= 0; n++) {
        demand(n >= 3 || columns[n].length == rows, "a column is too short");
        check(columns + n);
        fbinsights_free(columns[n].validity);
        fbinsights_free(columns[n].offsets);
        fbinsights_free(columns[n].data);
    }
    demand(blocks == 0, "memory was forgotten");
    return rows;
}

int main(int count, char **arguments)
{
    static uint8_t page[65536], body[65536];
    demand(count == 4, "fuzz PAGE TIMES SEED");
    FILE *file = fopen(arguments[1], "rb");
    demand(file != NULL, "no such page");
    size_t size = fread(page, 1, sizeof page, file);
    fclose(file);
    state ^= strtoull(arguments[3], NULL, 10) << 1 | 1; /* odd, so never 0 */
    long taken = 0;
    for (long n = atol(arguments[2]); n > 0; n--) {
        memcpy(body, page, size);
        size_t left = mutate(body, size, sizeof body);
        uint8_t *exact = malloc(left + 1);
        memcpy(exact, body, left);
        exact[left] = 0;
        scarce = !below(4);
        const uint8_t *bodies[] = {exact, exact};
        taken += read_once(bodies, (int64_t[]){(int64_t)left, (int64_t)left}, 2) >= 0;
        free(exact);
    }
    printf("%ld\n", taken);
    return 0;
}
