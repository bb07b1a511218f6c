"""Print csrc/base/ziggurat.c: the tables of the exponential and the normal ziggurat.

    python tools/ziggurat.py > csrc/base/ziggurat.c

A decreasing density f on [0, inf) is covered by 256 horizontal layers of equal area v. The base layer
(number 0) is the rectangle [0, r] x [0, f(r)] together with the whole tail beyond r, so
v = r f(r) + tail(r); layer i is [0, x_i] x [f(x_i), f(x_i+1)], so f(x_i+1) = f(x_i) + v / x_i.
The right r is the one for which the top layer ends exactly at f(0) = 1; bisection finds it with 30
digits, and every number is rounded once, to the nearest double. x_0 = v / f(r) is the width the base
layer would have as a rectangle, x_256 = 0. (Marsaglia and Tsang, J. Stat. Softw. 5(8), 2000.)

Only decimal of the standard library is used, so every machine prints the same bytes.
"""

from decimal import Decimal, getcontext

getcontext().prec = 40
LAYERS = 256
STEPS = 100  # halvings of an interval of length 1: far below the rounding of a double


def pi():
    """Machin's formula: pi = 16 atan(1/5) - 4 atan(1/239)."""

    def atan_inverse(n):
        power = total = Decimal(1) / n
        k = 1
        while abs(power) > Decimal(10) ** -39:
            power /= -n * n
            k += 2
            total += power / k
        return total

    return 16 * atan_inverse(5) - 4 * atan_inverse(239)


class Exponential:
    name, about, bracket = "exp", "f(x) = exp(-x)", (Decimal(7), Decimal(8))

    @staticmethod
    def density(x):
        return (-x).exp()

    @staticmethod
    def inverse(y):
        return -y.ln()

    tail = density


class Normal:
    name, about, bracket = "normal", "f(x) = exp(-x^2 / 2)", (Decimal(3), Decimal(4))

    @staticmethod
    def density(x):
        return (-x * x / 2).exp()

    @staticmethod
    def inverse(y):
        return (-2 * y.ln()).sqrt()

    @staticmethod
    def tail(x):
        """sqrt(pi / 2) minus the integral over [0, x], by its power series."""
        term = total = x
        k = 0
        while abs(term) > Decimal(10) ** -36:
            k += 1
            term *= -x * x / (2 * k)
            total += term / (2 * k + 1)
        return (pi() / 2).sqrt() - total


def layers(law, r):
    """The edges x_0 .. x_256, or None where r is too small: the layers rise above f(0)."""
    v = r * law.density(r) + law.tail(r)
    edges = [v / law.density(r), r]
    while len(edges) < LAYERS:
        y = law.density(edges[-1]) + v / edges[-1]
        if y >= 1:
            return None
        edges.append(law.inverse(y))
    if law.density(edges[-1]) + v / edges[-1] > 1:
        return None
    return edges + [Decimal(0)]


def solve(law):
    low, high = law.bracket
    for _ in range(STEPS):
        middle = (low + high) / 2
        if layers(law, middle) is None:
            low = middle
        else:
            high = middle
    return layers(law, high)


def array(name, values):
    lines = [f"const double {name}[{len(values)}] = {{"]
    texts = [float(v).hex() for v in values]
    for i in range(0, len(texts), 4):
        lines.append("    " + ", ".join(texts[i : i + 4]) + ",")
    return "\n".join(lines + ["};"])


def main():
    print(
        "/* Tables of the ziggurats, printed by tools/ziggurat.py, which says how they are computed.\n"
        " * Layer i reaches to x[i] and from the height y[i] = f(x[i]) to y[i + 1]; x[0] is the width the\n"
        " * base layer with its tail would have as a rectangle, y[0] = 0 its lower end. Do not edit: run\n"
        " * the tool again. */\n"
        "#include <distlab/random.h>\n\n"
        "/* clang-format off */"
    )
    for law in (Exponential, Normal):
        edges = solve(law)
        heights = [Decimal(0)] + [law.density(x) for x in edges[1:]]
        print(f"\n/* {law.about} */")
        print(array(f"dlab_zig_{law.name}_x", edges))
        print()
        print(array(f"dlab_zig_{law.name}_y", heights))


if __name__ == "__main__":
    main()
