"""Plain Python: the math module, the builtins and comprehensions over floats."""

framework = "math"
modules = ("math",)
roots = ("math",)

calls = {
    **{op: f"math.{op}(x)" for op in ("exp", "log1p", "expm1", "sqrt", "tanh", "sin", "cos", "sinh", "cosh", "floor")},
    "log": "math.log(x, base!)",
    "log2": "math.log2(x)",
    "log10": "math.log10(x)",
    "abs": "builtins.abs(x) | math.fabs(x)",
    "pow": "math.pow(x, y) | builtins.pow(x, y)",
    "sum": "builtins.sum(x) | math.fsum(x)",
    "max": "builtins.max(x, *, key!, default~)",
    "min": "builtins.min(x, *, key!, default~)",
    "maximum": "builtins.max(x, y, *, key!)",
    "minimum": "builtins.min(x, y, *, key!)",
    "prod": "math.prod(x)",
    "cast": "builtins.float(x) | builtins.list(x) | builtins.tuple(x)",
    "isfinite": "math.isinf(x) | math.isnan(x) | math.isfinite(x)",
    "bounded": "random.random(x) | random.uniform(x)",
}
