"""Plain Python: the math module, the builtins and comprehensions over floats."""

framework = "math"
modules = ("math",)
roots = ("math", "cmath")

# The builtin sum of an array goes along its first axis.
calls = {
    **{op: f"math.{op}(x)" for op in ("log1p", "expm1", "floor")},
    **{op: f"math.{op}(x) | cmath.{op}(x)" for op in ("exp", "sqrt", "tanh", "sin", "cos", "sinh", "cosh")},
    "exp2": "math.exp2(x)",
    "log": "math.log(x) | cmath.log(x)",
    "log_base": "math.log(x, base)",
    "log2": "math.log2(x)",
    "log10": "math.log10(x) | cmath.log10(x)",
    "abs": "builtins.abs(x) | math.fabs(x)",
    "pow": "math.pow(x, y) | builtins.pow(x, y)",
    "sum": "builtins.sum(x, *, axis:0) | math.fsum(x)",
    "max": "builtins.max(x, *, key!, default~)",
    "min": "builtins.min(x, *, key!, default~)",
    "maximum": "builtins.max(x, y, *, key!)",
    "minimum": "builtins.min(x, y, *, key!)",
    "prod": "math.prod(x)",
    "cast": "builtins.float(x) | builtins.list(x) | builtins.tuple(x)",
    "isfinite": "math.isinf(x) | math.isnan(x) | math.isfinite(x)",
    "bounded": "random.random(x) | random.uniform(x)",
}
