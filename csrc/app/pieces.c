/* Lists written as text, "a=1, b=f(2, 3)": cut at a separator that stands outside of parentheses. */
#include <string.h>

#include "app/app.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

char *dlab_trim(char *text)
{
    while (is_space(*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && is_space(text[n - 1])) n--;
    text[n] = '\0';
    return text;
}

char *dlab_next_piece(char **at, char separator)
{
    char *const begin = *at;
    int depth = 0;
    if (begin == NULL) return NULL;
    char *c = begin;
    for (; *c != '\0' && (*c != separator || depth > 0); c++) depth += (*c == '(') - (*c == ')' && depth > 0);
    *at = *c == '\0' ? NULL : c + 1;
    *c = '\0';
    return dlab_trim(begin);
}

int dlab_split_pair(char *piece, char **name, char **value, dlab_error *err)
{
    char *const equals = strchr(piece, '=');
    if (equals == NULL || equals == piece)
        return dlab_fail(err, DLAB_ETYPE, "'%.60s' stands where name=value is expected", piece);
    *equals = '\0';
    *name = dlab_trim(piece);
    *value = dlab_trim(equals + 1);
    return DLAB_OK;
}

char *dlab_copy_text(const char *text, dlab_memory *memory, size_t *size, dlab_error *err)
{
    *size = strlen(text) + 1;
    char *const copy = dlab_memory_realloc(memory, NULL, 0, *size, err);
    if (copy != NULL) memcpy(copy, text, *size);
    return copy;
}
