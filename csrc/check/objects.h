/* Objects as they should be, for made-up histories: each operation takes effect at one instant. */
#ifndef DISTLAB_CHECK_OBJECTS_H
#define DISTLAB_CHECK_OBJECTS_H
#include <distlab/history.h>

/* One object. Values of a sequence, a queue or a stack lie in `items` from `head` on. */
typedef struct dlab_object {
    int64_t value, before; /* register, counter, holder of a mutex; what it was before the last change */
    bool is_set, was_set;  /* false: nil */
    dlab_buffer items;     /* int64_t; text: char; set: one byte per value */
    size_t head, shorter;  /* shorter: length of a sequence before its last change */
} dlab_object;

typedef struct dlab_objects {
    dlab_object *at;
    size_t count;
    int32_t kind; /* DLAB_GENERATOR_* */
    dlab_memory *memory;
    dlab_history *history;
    dlab_error *err;
} dlab_objects;

int dlab_objects_open(dlab_objects *objects, const dlab_generator *generator, dlab_history *history,
                      dlab_error *err);
void dlab_objects_close(dlab_objects *objects);

/* The operation takes effect: its result and outcome are set. With `defect` it goes wrong, if it can:
 * *planted says whether it did. */
int dlab_objects_apply(dlab_objects *objects, dlab_operation *operation, bool defect, bool *planted);

#endif
