"""`log(exp(a) - exp(b))` is nan once both overflow, and -inf where a and b are close.

What it does
------------
Finds the logarithm of a difference of two exponentials, for a >= b.

Why is this bad?
----------------
`exp` overflows at 709.8 in float64, 88.7 in float32 and 11.1 in float16, and inf - inf is nan. Where a - b is small,
the difference of two rounded exponentials has no correct digits left.

Example
-------
    np.log(np.exp(a) - np.exp(b))

Use instead
-----------
    a + log1mexp(b - a)

Fix safety
----------
There is no fix: no framework has the function.

Special values
--------------
- ``logsubexp([0.0], [-inf])`` is [0.0]
- ``logsubexp([1.0], [1.0])`` is [-inf]

References
----------
M. Maechler, "Accurately computing log(1 - exp(-|a|))", vignette of the R package Rmpfr, 2012.
"""

code = "LSE015"
args = {"a": "logits", "b": "logits"}
params = {}


def naive(xp, a, b):
    return xp.log(xp.exp(a) - xp.exp(b))


def stable(xp, a, b):
    gap = xp.where(xp.equal(a, b), 0.0, b - a)
    near = xp.less(-0.6931471805599453, gap)
    return a + xp.where(near, xp.log(-xp.expm1(gap)), xp.log1p(-xp.exp(gap)))


def vjp(xp, g, a, b):
    rest = xp.expm1(b - a)
    return -g / rest, g * xp.exp(b - a) / rest


message = "log(exp(a) - exp(b)) is nan once both exceed {overflow}, and -inf where a and b are near"
replacement = {}
witness = {
    "float64": {"input": [1000.0, 999.0], "returns": "nan", "truth": 999.5413248546129},
    "float32": {"input": [100.0, 99.0], "returns": "nan", "truth": 99.541325},
    "float16": {"input": [13.0, 12.0], "returns": "nan", "truth": 12.54},
    "bfloat16": {"input": [100.0, 99.0], "returns": "nan", "truth": 99.5},
}
