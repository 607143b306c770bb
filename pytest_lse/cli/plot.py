"""`pytest-lse plot`: draws the error of any function."""

from __future__ import annotations

import argparse
import sys

from pytest_lse.cli import UsageError

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HELP = "draw the error of a function against the size of its logits, as SVG"
_NAMESPACES = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "tensorflow": "tensorflow", "cupy": "cupy"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; those of the assertion have its names."""
    add = parser.add_argument
    add("target", metavar="MODULE:FUNCTION", help="a function, by module (pkg.losses:nll) or file (losses.py:nll)")
    add("--kernel", required=True, metavar="NAME", help="what it computes: softmax, logsumexp, ...")
    add("--xp", choices=tuple(_NAMESPACES), default="numpy", help="what its arrays are (default: numpy)")
    add("--dtypes", metavar="NAMES", help="separated by commas (default: float32,float64)")
    add("--domain", choices=("finite", "masked", "log_space", "extended"), default="masked", help="default: masked")
    add("--axis", type=int, default=-1, metavar="N", help="the axis it works along (default: -1)")
    add("--ndim", default="1,2", metavar="RANKS", help="ranks to try (default: 1,2)")
    add("-o", "--output", metavar="FILE.svg", help="default: FUNCTION.svg; - is standard output")


def run(args: argparse.Namespace) -> int:
    """Measure, draw, and say what was measured."""
    from pytest_lse.report.picture import picture

    module, colon, name = args.target.rpartition(":")
    if not colon or not module or not name:
        raise UsageError(f"{args.target}: expected MODULE:FUNCTION")
    xp = _imported(_NAMESPACES[args.xp], f"--xp {args.xp}")
    records = _measured(args, _function(module, name), xp)
    drawing = picture(records, standalone=True)
    output = args.output or f"{name.rpartition('.')[2]}.svg"
    if output == "-":
        sys.stdout.write(drawing)
        return 0
    from pathlib import Path

    try:
        Path(output).write_text(drawing, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: cannot write the picture: {error.strerror or error}") from None
    for r in records:
        worst = "inf or nan" if r["worst_ulps"] is None else f"{r['worst_ulps']:.3g} ulps"
        fails = f"; fails in {', '.join(r['failing_regimes'])}" if r["failing_regimes"] else ""
        print(f"{name}, {r['dtype']}: worst error {worst}{fails}")
    print(f"Wrote {output}.")
    return 0


def _measured(args: argparse.Namespace, fn: Callable[..., Any], xp: Any) -> list[dict[str, Any]]:
    from hypothesis.errors import InvalidArgument

    from pytest_lse.assertions import StabilityError, assert_stable
    from pytest_lse.report.recorder import recording

    try:
        ranks = [int(rank) for rank in args.ndim.split(",")]
    except ValueError:
        raise UsageError(f"--ndim {args.ndim}: expected ranks separated by commas") from None
    dtypes = [d.strip() for d in args.dtypes.split(",")] if args.dtypes else None
    options: dict[str, Any] = {"domain": args.domain, "axis": args.axis, "ndim": ranks, "dtypes": dtypes}
    with recording() as records:
        try:
            assert_stable(fn, args.kernel, xp=xp, gradients=False, max_examples=0, **options)
        except StabilityError:
            pass  # the picture shows it
        except (ValueError, TypeError, InvalidArgument) as error:
            raise UsageError(str(error).partition("\n")[0]) from None
    return sorted(records, key=lambda r: str(r["dtype"]), reverse=True)


def _function(module: str, name: str) -> Callable[..., Any]:
    value: Any = _imported(module, module)
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise UsageError(f"{module} has no {name!r}{_near(value, part)}") from None
    if isinstance(value, type):
        try:
            value = value()
        except Exception as error:
            raise UsageError(f"{module}:{name} is a class that needs arguments: {_line(error)}") from None
    if not callable(value):
        raise UsageError(f"{module}:{name} is not a function but {type(value).__name__}")
    function: Callable[..., Any] = value
    return function


def _imported(module: str, said: str) -> Any:
    """Import a module by its name, or by its file; what it raises is the user's to read, in one line."""
    import importlib
    from pathlib import Path

    if module.endswith(".py"):
        if not Path(module).is_file():
            raise UsageError(f"{module}: no such file")
        from pytest_lse.scaffold.find import module_name

        module, root = module_name(module)
        sys.path.insert(0, root)
    else:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may even call sys.exit
        raise UsageError(f"{said}: cannot be imported: {_line(error)}") from None
    finally:
        sys.path.pop(0)


def _near(owner: object, name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, dir(owner), n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
