/* Logarithm, exponential and power for sampling, built from IEEE 754 basic operations only
 * (no fused multiply-add, no libm), so that draws have the same bits on every platform.
 * Error below 1 ulp over the whole finite range (largest seen against 140-bit arithmetic: 0.83). */
#ifndef DISTLAB_REAL_H
#define DISTLAB_REAL_H
#include <stddef.h>

double dlab_log(double x); /* -inf at 0, NaN below */
double dlab_log1p(double x);
double dlab_exp(double x);              /* inf above 709.78, 0 below -745.2 */
void dlab_exp_all(double *x, size_t n); /* each x[i] becomes dlab_exp(x[i]), with the same bits */
double dlab_pow(double x, double y);    /* x >= 0; NaN below */

#endif
