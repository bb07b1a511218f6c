/* Version of the library; the Python package reads the same line. */
#ifndef DISTLAB_VERSION_H
#define DISTLAB_VERSION_H
#define DLAB_VERSION_MAJOR 0
#define DLAB_VERSION_MINOR 1
#define DLAB_VERSION_PATCH 0
#define DLAB_VERSION "0.1.0"
#endif
