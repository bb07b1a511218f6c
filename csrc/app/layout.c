/* Layout of a field table: components spliced in with absolute offsets, prefixed names and filled
 * groups, so that everything behind (checks, texts, columns, binding) sees one flat list and knows
 * nothing of components. */
#include <stdio.h>
#include <string.h>

#include <distlab/field.h>

static int splice(dlab_layout *layout, const dlab_field *fields, size_t offset, const char *prefix,
                  const char *group, dlab_error *err)
{
    for (const dlab_field *f = fields; f->name != NULL; f++) {
        if (f->group != NULL) group = f->group;
        if (f->type == DLAB_COMPONENT) {
            char inner[DLAB_NAME_MAX];
            const int n = snprintf(inner, sizeof inner, "%s%s", prefix, f->prefix ? f->prefix : "");
            if (DLAB_CHECK(err, n >= 0 && n < (int)sizeof inner)) return err->code;
            if (splice(layout, f->fields, offset + f->offset, inner, group, err)) return err->code;
            continue;
        }
        if (DLAB_CHECK(err, layout->count < DLAB_FIELDS_MAX)) return err->code;
        char *name = layout->names[layout->count];
        const int n = snprintf(name, DLAB_NAME_MAX, "%s%s", prefix, f->name);
        if (DLAB_CHECK(err, n > 0 && n < DLAB_NAME_MAX)) return err->code;
        dlab_field *flat = &layout->fields[layout->count++];
        *flat = *f;
        flat->name = name;
        flat->group = group;
        flat->offset = offset + f->offset;
        if (flat->low >= flat->high) { /* no typical range given */
            flat->low = flat->min;
            flat->high = flat->max;
        }
        if (flat->type == DLAB_HISTOGRAM && !(flat->scale > 0))
            flat->scale = flat->unit != NULL && strcmp(flat->unit, "s") == 0 ? 1e-9 : 1;
    }
    return DLAB_OK;
}

int dlab_layout_init(dlab_layout *layout, const dlab_field *fields, dlab_error *err)
{
    layout->count = 0;
    return splice(layout, fields, 0, "", NULL, err);
}

const dlab_field *dlab_layout_find(const dlab_layout *layout, const char *name, const char *owner,
                                   dlab_error *err)
{
    const char *names[DLAB_FIELDS_MAX];
    for (int i = 0; i < layout->count; i++) {
        if (strcmp(layout->names[i], name) == 0) return &layout->fields[i];
        names[i] = layout->names[i];
    }
    const char *near = dlab_nearest_name(name, names, layout->count);
    (void)dlab_fail(err, DLAB_ENAME, "%s has no '%s'%s%s%s", owner, name, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
    return NULL;
}
