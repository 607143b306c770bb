"""What stands around a fix and decides whether it may be made there: a compiler, other containers, other numbers.

A compiled function cannot call what its compiler does not know, and a function of SciPy that is no ufunc returns an
array where NumPy's own would have returned the pandas or xarray object that it was given. What is written out takes
integers and complex numbers; the libraries' functions are made for floating point.
"""

from __future__ import annotations

import ast
import re

from pytest_lse.lint.scopes import Function, Scopes

#: decorators of Numba, under their own names or wrapped by a project
_COMPILERS = frozenset({"jit", "njit", "vectorize", "guvectorize", "cfunc", "stencil"})
#: packages whose objects go through NumPy's ufuncs and come out as what they were
_CONTAINERS = frozenset({"pandas", "xarray", "dask", "modin", "geopandas", "cudf", "pint"})
_MASKED = re.compile(r"\b(?:np|numpy)\.ma\b|\bfrom numpy import (?:\w+, *)*ma\b|\bimport numpy\.ma\b")
_MATRIX = re.compile(r"\b(?:np|numpy)\.(?:as|b)?mat(?:rix)?\(")
#: numbers that the functions of a library do not take, or of which they make others than the operators do
_NUMBERS = {
    "complex numbers": re.compile(
        r"\bcomplex(?:64|128|floating)?\b|\b[cz](?:single|double|float)\b|\.imag\b|\biscomplex|\.conj\("
        r"|(?<![\w.])[\d.]+j\b"
    ),
    "unsigned integers": re.compile(r"\bu(?:int(?:8|16|32|64)?|byte|short)\b"),
    "half precision": re.compile(r"\bfloat16\b|\bnp\.half\b"),
}
#: functions and methods that give integers
_INTEGERS = frozenset(
    {"randint", "randperm", "argmax", "argmin", "argsort", "bincount", "long", "int", "count_nonzero", "nonzero"}
)
_INTEGER_DTYPE = re.compile(r"\b(?:u?int(?:8|16|32|64)?|long|bool_?)\b")
#: what a function of arrays does not do to them
_OF_CONTAINERS = re.compile(
    r"\bpd\.|\bxr\.|\bDataFrame\b|\bSeries\b|\bDataArray\b|\bdf\b|\bdf_\w+|\w+_df\b"
    r"|\.(?:loc|iloc|at|iat|index|columns|to_frame|sort_values|groupby|reset_index|apply|sel|isel)\b(?!\()"
    r"|\.(?:to_frame|sort_values|groupby|reset_index|apply|sel|isel)\(|\.values\b(?!\()"
)
_INFINITY = re.compile(r"(?i)['\"][-+]?inf(?:inity)?['\"]|\.n?inf\b|\bn?inf\b")
_ARRAY = re.compile(r"\bndarray\b|\bNDArray\b|\bfloat\b")
#: functions of NumPy and SciPy that turn what they are given into an array
_ARRAY_FUNCTIONS = re.compile(r"softmax\(|logsumexp\(|\bwhere\(|\.reduce\(|\.accumulate\(")
_TO_ARRAY = frozenset({"array", "asarray", "ascontiguousarray", "to_numpy", "asfarray"})


def compiled(scopes: Scopes, site: ast.AST) -> bool:
    """Say whether a function around a place is compiled by Numba."""
    functions = [s for s in scopes.chain(site) if isinstance(s, ast.FunctionDef)]
    return any(
        any(_last_name(d) in _COMPILERS for d in f.decorator_list)
        or any(_is_compiled_by(scopes.parents.get(n), n) for n in scopes.reads.get(f.name, ()))
        for f in functions
    )


def _is_compiled_by(call: ast.AST | None, name: ast.Name) -> bool:
    return isinstance(call, ast.Call) and name in call.args and _last_name(call.func) in _COMPILERS


def _last_name(e: ast.expr) -> str | None:
    while isinstance(e, ast.Call):
        e = e.func
    return e.attr if isinstance(e, ast.Attribute) else getattr(e, "id", None)


def makes_arrays(replacement: str) -> bool:
    """Say whether a replacement for NumPy returns an array whatever it is given."""
    return _ARRAY_FUNCTIONS.search(replacement) is not None


def containers(scopes: Scopes, text: str) -> str | None:
    """Return the package whose objects the values of a module may be, None if they can only be arrays."""
    for names in list(scopes.bound.values()):
        for nodes in list(names.values()):
            for alias in nodes:
                if isinstance(alias, ast.alias) and (root := _imported_root(scopes.parents[alias], alias)):
                    return root
    return "numpy.ma" if _MASKED.search(text) else "numpy.matrix" if _MATRIX.search(text) else None


def _imported_root(statement: ast.AST, alias: ast.alias) -> str | None:
    name = (statement.module or "") if isinstance(statement, ast.ImportFrom) else alias.name
    root = name.partition(".")[0]
    return root if root in _CONTAINERS else None


def handles_containers(scopes: Scopes, site: ast.AST) -> bool:
    """Say whether the function around a place (or its statement, outside of any) does what only containers can do."""
    around = _function(scopes, site) or _statement(scopes, site)
    return _OF_CONTAINERS.search(ast.unparse(around)) is not None


def names_infinity(scopes: Scopes, site: ast.AST) -> bool:
    """Say whether the function around a place speaks of infinity: a mask of -inf needs the epsilon of a logarithm."""
    function = _function(scopes, site)
    return function is not None and _INFINITY.search(ast.unparse(function)) is not None


def other_numbers(scopes: Scopes, site: ast.AST, framework: str) -> str | None:
    """Return what numbers the function around a place speaks of that a replacement may treat in another way."""
    text = ast.unparse(_function(scopes, site) or _statement(scopes, site))
    for numbers, spelled in _NUMBERS.items():
        if spelled.search(text) and (framework in ("numpy", "math") or numbers != "half precision"):
            return numbers
    return None


def is_integer(sources: list[ast.expr]) -> bool:
    """Say whether a value is an array of integers or booleans by what computed it."""
    return any(_gives_integers(source) for source in sources)


def _gives_integers(e: ast.expr) -> bool:
    if isinstance(e, ast.Compare):
        return True
    if not isinstance(e, ast.Call):
        return False
    name = _last_name(e)
    dtypes = [k.value for k in e.keywords if k.arg == "dtype"]
    if name in ("to", "type", "astype", "cast"):
        dtypes += e.args[-1:]
    if dtypes:
        return any(_INTEGER_DTYPE.search(ast.unparse(d)) for d in dtypes)
    if name in _INTEGERS:
        return isinstance(e.func, ast.Attribute)
    if name in ("arange", "tensor", "constant", "array", "asarray"):
        numbers = [n.value for a in e.args for n in ast.walk(a) if isinstance(n, ast.Constant)]
        literal = all(
            isinstance(n, ast.List | ast.Tuple | ast.Constant | ast.UnaryOp | ast.expr_context | ast.unaryop)
            for a in e.args
            for n in ast.walk(a)
        )
        return literal and bool(numbers) and all(isinstance(n, int) for n in numbers)
    return False


def _statement(scopes: Scopes, site: ast.AST) -> ast.AST:
    return next((a for a in scopes.ancestors(site) if isinstance(a, ast.stmt)), site)


def is_array(scopes: Scopes, site: ast.AST, sources: list[ast.expr]) -> bool:
    """Say whether a value is an array by what computed it, or by the annotation of the parameter that it is."""
    for source in sources:
        if isinstance(source, ast.Call) and _last_name(source) in _TO_ARRAY:
            return True
        if isinstance(source, ast.Attribute) and source.attr == "values":
            return True
        if isinstance(source, ast.Name) and (function := _function(scopes, site)):
            arguments = function.args
            for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                if a.arg == source.id and a.annotation is not None:
                    return _ARRAY.search(ast.unparse(a.annotation)) is not None
    return False


def _function(scopes: Scopes, site: ast.AST) -> Function | None:
    return next((s for s in scopes.chain(site) if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)), None)
