/* A descriptor from outside of this build: what could go wrong before it runs, said before it runs. Python
 * registers models through this check, a study in C makes it on first use. */
#include <string.h>

#include "app/app.h"

/* family.name in lower case, digits and underscores. */
static bool name_is_good(const char *name)
{
    const char *dot = name != NULL ? strchr(name, '.') : NULL;
    if (dot == NULL || strlen(name) >= DLAB_NAME_MAX) return false;
    for (const char *c = name; *c != '\0'; c++) {
        const bool letter = *c >= 'a' && *c <= 'z';
        if (c == name || c == dot + 1) {
            if (!letter) return false;
        } else if (c != dot && !letter && !(*c >= '0' && *c <= '9') && *c != '_') {
            return false;
        }
    }
    return dot[1] != '\0';
}

/* Every field lies inside of its struct. */
static int check_fields(const dlab_model *model, const dlab_field *fields, size_t size, dlab_error *err)
{
    dlab_layout layout;
    if (dlab_layout_init(&layout, fields, err)) return DLAB_EINVAL;
    for (int i = 0; i < layout.count; i++) {
        const dlab_field *f = &layout.fields[i];
        if (f->offset + dlab_type_size(f->type) > size)
            return dlab_fail(err, DLAB_EINVAL,
                             "model %s: %s ends at byte %zu of a struct that has %zu: is params_size or "
                             "metrics_size that of the struct?",
                             model->name, f->name, f->offset + dlab_type_size(f->type), size);
    }
    return DLAB_OK;
}

int dlab_model_check(const dlab_model *model, dlab_error *err)
{
    if (model == NULL) return dlab_fail(err, DLAB_EINVAL, "there is no model");
    if (model->abi != DLAB_ABI)
        return dlab_fail(err, DLAB_EINVAL,
                         "the model was built for ABI %u, this distlab has ABI %d: compile it again with the "
                         "headers of this version",
                         (unsigned)model->abi, DLAB_ABI);
    if (!name_is_good(model->name))
        return dlab_fail(err, DLAB_EINVAL, "a model is named family.name (lower case), not %.60s",
                         model->name != NULL ? model->name : "NULL");
    if (model->run == NULL || model->params == NULL || model->metrics == NULL || model->params_size == 0 ||
        model->metrics_size == 0)
        return dlab_fail(err, DLAB_EINVAL, "model %s lacks run, params or metrics", model->name);
    if ((model->theory == NULL) != (model->theory_columns == NULL))
        return dlab_fail(err, DLAB_EINVAL, "model %s must have both theory and theory_columns, or neither",
                         model->name);
    if (check_fields(model, model->params, model->params_size, err)) return DLAB_EINVAL;
    return check_fields(model, model->metrics, model->metrics_size, err);
}
