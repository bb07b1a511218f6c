/* Version of the library; the Python package reads the same line. A model carries DLAB_ABI of the headers
 * it was compiled with, and dlab_model_check compares it with the library's before the model runs. */
#ifndef DISTLAB_VERSION_H
#define DISTLAB_VERSION_H
#define DLAB_VERSION_MAJOR 0
#define DLAB_VERSION_MINOR 1
#define DLAB_VERSION_PATCH 0
#define DLAB_VERSION "0.1.0"

/* For #if: are the headers of this version or a later one? */
#define DLAB_VERSION_AT_LEAST(major, minor, patch)                                    \
    (DLAB_VERSION_MAJOR * 1000000 + DLAB_VERSION_MINOR * 1000 + DLAB_VERSION_PATCH >= \
     (major)*1000000 + (minor)*1000 + (patch))

/* Version of the library that was linked, in the form of DLAB_VERSION. */
const char *dlab_version(void);

#endif
