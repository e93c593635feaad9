#!/usr/bin/env python3
"""Golden values for src/htm/numeric.ts, worked out with 60 to 400 decimal digits by the standard library alone.

    python3 scripts/numeric-golden.py > src/htm/fixtures/numeric.json

Every argument is an exact binary number; every result is the binary number nearest to the exact one.
"""
import json
import random
from decimal import Decimal, getcontext

getcontext().prec = 60
getcontext().Emin, getcontext().Emax = -10**6, 10**6


def exp(x):
    return float(Decimal(x).exp())


def log(x):
    return float(Decimal(x).ln())


def power(x, y):
    return float((Decimal(y) * Decimal(x).ln()).exp())


def pi():
    """Machin's formula."""
    def arctan_of_inverse(n):
        term, total, k = Decimal(1) / n, Decimal(0), 0
        while abs(term) > Decimal(10) ** -(getcontext().prec + 5):
            total += term / (2 * k + 1) * (-1) ** k
            term /= n * n
            k += 1
        return total
    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))


def erfc(x):
    """1 - erf by the Taylor series, with enough digits for what cancels in it and in the difference."""
    getcontext().prec = 80 + int(0.9 * x * x)
    t = Decimal(x)
    square, term, total, k = t * t, t, Decimal(0), 0
    while k < 2 * square or abs(term) > Decimal(10) ** -(getcontext().prec):
        total += term / (2 * k + 1)
        k += 1
        term = -term * square / k
    result = float(1 - 2 / pi().sqrt() * total)
    getcontext().prec = 60
    return result


def main():
    draw = random.Random(20240901)
    uniform = draw.uniform
    exps = [0.0, 1.0, -1.0, 1e-300, -1e-17, 709.7, 709.782712893384, -700.25, -708.5, -720.0, -744.5, -745.13]
    exps += [uniform(-708, 709) for _ in range(150)] + [uniform(-1, 1) for _ in range(100)]
    exps += [uniform(-1, 1) * 2.0 ** -draw.randrange(2, 60) for _ in range(50)]
    logs = [1.0, 2.0, 0.5, 10.0, 1e-10, 1.0000000001, 5e-324, 2.0 ** -1022, 1.7976931348623157e308]
    logs += [1 + s * 2.0 ** -k for k in range(1, 53) for s in (1, -1)]
    logs += [uniform(0.5, 2) for _ in range(150)] + [2 ** uniform(-1074, 1023) for _ in range(100)]
    powers = [(1.0, 5.0), (2.0, 0.5), (10.0, -308.0), (10.0, 308.0), (0.5, 1074.0), (1 + 2.0 ** -52, 2.0 ** 60)]
    rates = [0.0031999999191612005, 0.0010000000474974513, 0.0003199999919161201, 9.999999747378752e-05]
    powers += [(1 - rate, float(draw.randrange(1, 30000))) for rate in rates for _ in range(40)]
    powers += [(2 ** uniform(-30, 30), uniform(-30, 30)) for _ in range(120)]
    powers += [(uniform(0.9, 1.1), uniform(-6000, 6000)) for _ in range(60)]
    erfcs = [0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 4.0, 6.5, 10.0, 20.0, 25.0, 26.5, 26.6, 27.0, 27.22]
    erfcs += [uniform(-0.6, 0.6) for _ in range(60)] + [uniform(-6, 6) for _ in range(80)]
    erfcs += [uniform(0.4, 26.5) for _ in range(80)] + [uniform(3.9, 4.1) for _ in range(20)]
    rows = {
        "exp": [[x, exp(x)] for x in exps],
        "log": [[x, log(x)] for x in logs],
        "pow": [[x, y, power(x, y)] for x, y in powers],
        "erfc": [[x, erfc(x)] for x in erfcs],
    }
    print("{")
    for i, (name, values) in enumerate(rows.items()):
        body = ",\n".join("    " + json.dumps(row) for row in values)
        print(f'  "{name}": [\n{body}\n  ]' + ("," if i < 3 else ""))
    print("}")


main()
