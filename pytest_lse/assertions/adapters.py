"""From NumPy to the user's framework and back, without importing one: the namespace the user passed is all there is.

A framework is known by the name of its namespace. What has no adapter of its own is treated as an array API
namespace (CuPy, MLX, array-api-strict).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.assertions.compiled import Compiled
from pytest_lse.assertions.spelling import longest_run, nested, numpy_dtype, period
from pytest_lse.strategies.casting import carrier

Array = npt.NDArray[Any]
Function = Callable[..., Any]


class Framework:
    """An array namespace: this class is NumPy, its subclasses the others."""

    name = "numpy"
    differentiates = False
    compiles = False
    """Whether every new shape costs a compilation, so that a search keeps to few of them."""
    constants = "np"
    """Where ``inf`` and ``nan`` live in source."""

    def __init__(self, xp: ModuleType, device: Any = None) -> None:
        self.xp = xp
        self.device = device

    def default_dtypes(self) -> tuple[str, ...]:
        """Return the dtypes that are tested unless the user names some."""
        return ("float32", "float64")

    def array(self, value: Array) -> Any:
        """Return a new array of the framework, of the same dtype; nothing is shared."""
        return value.copy()

    def numpy(self, value: Any) -> Array:
        """Return the framework's value as a NumPy array, of the dtype that holds the same numbers."""
        return np.asarray(value)

    def call(self, fn: Function, arguments: Sequence[Any]) -> Any:
        """Return the result of the function."""
        return fn(*arguments)

    def gradient(self, fn: Function, arguments: Sequence[Any], cotangent: Array) -> Array | None:
        """Return the gradient of ``sum(cotangent * first output)`` in the first argument, or None without one."""
        raise NotImplementedError

    def directional(self, fn: Function, arguments: Sequence[Any], tangent: Array) -> Array | None:
        """Return the derivative of the first output along a tangent of the first argument, if there is forward mode."""
        return None

    def layouts(self) -> tuple[str, ...]:
        """Return the memory layouts that `arranged` can make."""
        return ("a Fortran-ordered array", "a non-contiguous array", "negative strides", "a read-only array")

    def arranged(self, value: Array, layout: str) -> Any:
        """Return an array of these values in another memory layout."""
        if layout == "a Fortran-ordered array":
            return np.array(value, order="F")
        if layout == "negative strides":
            turn = (slice(None, None, -1),) * value.ndim
            return value[turn].copy()[turn]
        if layout == "a non-contiguous array":
            wide = np.zeros((*value.shape, 2), value.dtype)
            wide[..., 0] = value
            return wide[..., 0]
        fixed = value.copy()
        fixed.flags.writeable = False
        return fixed

    def broadcast(self, value: Array, length: int) -> Any:
        """Return a row repeated without copying it: stride 0, read-only in NumPy."""
        return np.broadcast_to(value, (length, *value.shape))

    def quiet(self) -> AbstractContextManager[Any]:
        """Return the context in which functions are called: overflow inside is allowed, only results are judged."""
        return np.errstate(all="ignore")

    def spell(self, value: Array) -> str:
        """Return the expression that makes this array, for the line that reproduces a failure."""
        if value.dtype.name in ("int64", "bool") and value.size:
            return f"np.array({self._listing(value)})"
        return f"np.array({self._listing(value)}, {numpy_dtype(value)})"

    def _listing(self, value: Array) -> str:
        return re.sub(r"\b(inf|nan)\b", rf"{self.constants}.\1", nested(value))

    def spell_long(self, value: Array) -> str:
        """Return the expression that makes a long array: one value over and over between a few others, or a pattern."""
        flat = value.reshape(-1)
        start, stop = longest_run(flat)
        if stop - start < flat.size // 2:
            full = f"np.resize({self._listing(flat[: period(flat)])}, {value.shape})"
            return self.wrap_long(full, value)
        shape = value.shape if stop - start == flat.size else (stop - start,)
        number = self._listing(flat[start])
        full = f"np.full({shape if len(shape) > 1 else shape[0]}, {number})"
        if stop - start < flat.size:
            parts = [self._listing(p) for p in (flat[:start], flat[stop:])]
            full = f"np.r_[{', '.join(p for p in (parts[0], full, parts[1]) if p != '[]')}]"
            full += f".reshape{value.shape}" if value.ndim > 1 else ""
        return self.wrap_long(full, value)

    def wrap_long(self, full: str, value: Array) -> str:
        """Turn a NumPy expression into the framework's array."""
        return f"{full}.astype({numpy_dtype(value)})"


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) else value


class Torch(Framework):
    """PyTorch: autograd is the gradient; bfloat16 travels through float32, which holds every value of it."""

    name = "torch"
    constants = "torch"
    differentiates = True

    def array(self, value: Array) -> Any:
        """Return a tensor on the device."""
        if value.dtype.name == "bfloat16":
            tensor = self.xp.from_numpy(np.asarray(value, np.float32)).to(self.xp.bfloat16)
        else:
            tensor = self.xp.from_numpy(np.array(value))
        return tensor if self.device is None else tensor.to(self.device)

    def numpy(self, value: Any) -> Array:
        """Return a detached copy."""
        if not isinstance(value, self.xp.Tensor):
            return np.asarray(value)
        value = value.detach().cpu()
        if value.dtype == self.xp.bfloat16:
            return np.asarray(value.float().numpy()).astype(carrier("bfloat16"))
        return np.array(value.numpy())

    def layouts(self) -> tuple[str, ...]:
        """Return those that tensors can have: strides are positive, and nothing is read-only."""
        return ("a Fortran-ordered array", "a non-contiguous array")

    def arranged(self, value: Array, layout: str) -> Any:
        """Return a view of another tensor."""
        tensor = self.array(value)
        if layout == "a Fortran-ordered array":
            order = tuple(reversed(range(tensor.ndim)))
            return tensor.permute(order).contiguous().permute(order)
        return self.xp.stack([tensor, self.xp.zeros_like(tensor)], -1)[..., 0]

    def broadcast(self, value: Array, length: int) -> Any:
        """Return an expanded view."""
        return self.array(value).expand(length, *value.shape)

    def gradient(self, fn: Function, arguments: Sequence[Any], cotangent: Array) -> Array | None:
        """Differentiate by autograd."""
        first = arguments[0].detach().clone().requires_grad_(True)
        with self.xp.enable_grad():
            try:
                output = _first(fn(first, *arguments[1:]))
            except RuntimeError as error:
                if "numpy() on Tensor that requires grad" in str(error):
                    return None  # it leaves the framework: there is nothing to differentiate
                raise
            if not isinstance(output, self.xp.Tensor):
                return None
            if not output.requires_grad:
                return np.zeros(tuple(first.shape)) if self._reaches_others(fn, arguments) else None
            weight = self.array(np.asarray(cotangent)).to(dtype=output.dtype).reshape(output.shape)
            # Of a scalar: with weights given, autograd imports SymPy, which takes as long as the whole assertion.
            (gradient,) = self.xp.autograd.grad((output * weight).sum(), first, allow_unused=True)
        return np.zeros(tuple(first.shape)) if gradient is None else self.numpy(gradient)

    def _reaches_others(self, fn: Function, arguments: Sequence[Any]) -> bool:
        """Whether a gradient reaches an argument but the first: then the function differentiates, and has lost it."""
        first, *others = arguments
        tracked = [a.detach().clone().requires_grad_(a.is_floating_point() and a.ndim > 0) for a in others]
        if not any(a.requires_grad for a in tracked):
            return False
        try:
            output = _first(fn(first, *tracked))
        except RuntimeError:
            return False
        return isinstance(output, self.xp.Tensor) and output.requires_grad

    def spell(self, value: Array) -> str:
        """Return a torch.tensor call."""
        return f"torch.tensor({self._listing(value)}, dtype=torch.{value.dtype.name})"

    def wrap_long(self, full: str, value: Array) -> str:
        """Convert from NumPy."""
        return f"torch.from_numpy({full}).to(torch.{value.dtype.name})"


class Jax(Framework):
    """JAX: reverse mode is judged as a gradient, forward mode along a tangent."""

    name = "jax"
    constants = "jnp"
    differentiates = True
    compiles = True

    def layouts(self) -> tuple[str, ...]:
        """Return none: arrays have no layout that a user could see."""
        return ()

    def __init__(self, xp: ModuleType, device: Any = None) -> None:
        super().__init__(xp, device)
        self._compiled: dict[tuple[str, Function], Compiled] = {}

    @property
    def _jax(self) -> Any:
        return sys.modules["jax"]

    def _run(self, kind: str, fn: Function, make: Callable[[], Function], arrays: Sequence[Any]) -> Any:
        known = self._compiled.get((kind, fn))
        if known is None:
            by_user = hasattr(getattr(fn, "func", fn), "lower")
            known = self._compiled[kind, fn] = Compiled(self._jax.jit, make(), faithful=not by_user)
        return known(*arrays)

    def default_dtypes(self) -> tuple[str, ...]:
        """Return float64 only where the user enabled it."""
        return ("float32", "float64") if self._jax.config.jax_enable_x64 else ("float32",)

    def array(self, value: Array) -> Any:
        """Return a committed array where a device is named."""
        array = self.xp.array(value)
        return array if self.device is None else self._jax.device_put(array, self.device)

    def call(self, fn: Function, arguments: Sequence[Any]) -> Any:
        """Return the result of the compiled function."""
        return self._run("value", fn, lambda: fn, arguments)

    def gradient(self, fn: Function, arguments: Sequence[Any], cotangent: Array) -> Array | None:
        """Differentiate by `jax.vjp`."""

        def pull(cotangent: Any, x: Any, *rest: Any) -> Any:
            output, pullback = self._jax.vjp(lambda x: _first(fn(x, *rest)), x)
            return pullback(cotangent.astype(output.dtype).reshape(output.shape))[0]

        try:
            gradient = self._run("gradient", fn, lambda: pull, [self.xp.asarray(cotangent), *arguments])
        except (self._jax.errors.TracerArrayConversionError, self._jax.errors.ConcretizationTypeError):
            return None  # it leaves the framework: there is nothing to differentiate
        return np.asarray(gradient)

    def directional(self, fn: Function, arguments: Sequence[Any], tangent: Array) -> Array | None:
        """Differentiate by `jax.jvp`; a function with a custom reverse rule alone has no forward mode."""

        def push(tangent: Any, x: Any, *rest: Any) -> Any:
            return self._jax.jvp(lambda x: _first(fn(x, *rest)), (x,), (tangent.astype(x.dtype),))[1]

        try:
            derivative = self._run("directional", fn, lambda: push, [self.xp.asarray(tangent), *arguments])
        except TypeError as error:
            if "forward-mode" in str(error):
                return None
            raise
        return np.asarray(derivative)

    def spell(self, value: Array) -> str:
        """Return a jnp.array call."""
        return f"jnp.array({self._listing(value)}, jnp.{value.dtype.name})"

    def wrap_long(self, full: str, value: Array) -> str:
        """Convert from NumPy."""
        return f"jnp.asarray({full}, jnp.{value.dtype.name})"


class TensorFlow(Framework):
    """TensorFlow: a GradientTape is the gradient."""

    name = "tensorflow"
    differentiates = True
    compiles = True

    def layouts(self) -> tuple[str, ...]:
        """Return none: arrays have no layout that a user could see."""
        return ()

    def _place(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = nullcontext() if self.device is None else self.xp.device(self.device)
        return context

    def array(self, value: Array) -> Any:
        """Return a constant on the device."""
        with self._place():
            return self.xp.constant(value)

    def numpy(self, value: Any) -> Array:
        """Return the tensor's value."""
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)

    def gradient(self, fn: Function, arguments: Sequence[Any], cotangent: Array) -> Array | None:
        """Differentiate by a GradientTape."""
        floating = [a for a in arguments if a.dtype.is_floating]
        with self.xp.GradientTape(persistent=True) as tape:
            tape.watch(floating)
            output = _first(fn(*arguments))
        if not hasattr(output, "dtype"):
            return None
        weight = self.xp.reshape(self.xp.cast(self.xp.constant(cotangent), output.dtype), output.shape)
        gradient = tape.gradient(output, arguments[0], output_gradients=weight)
        if gradient is None and any(g is not None for g in tape.gradient(output, floating[1:])):
            gradient = self.xp.zeros_like(arguments[0])  # the function differentiates, and has lost it
        return None if gradient is None else self.numpy(self.xp.convert_to_tensor(gradient))

    def spell(self, value: Array) -> str:
        """Return a tf.constant call."""
        return f"tf.constant({self._listing(value)}, tf.{value.dtype.name})"

    def wrap_long(self, full: str, value: Array) -> str:
        """Convert from NumPy."""
        return f"tf.cast({full}, tf.{value.dtype.name})"


class ArrayAPI(Framework):
    """Any other namespace of the array API: CuPy, MLX, array-api-strict."""

    name = "array API"

    def layouts(self) -> tuple[str, ...]:
        """Return none: arrays have no layout that a user could see."""
        return ()

    def default_dtypes(self) -> tuple[str, ...]:
        """Return the dtypes that the namespace has."""
        return tuple(d for d in ("float32", "float64") if hasattr(self.xp, d))

    def array(self, value: Array) -> Any:
        """Return the namespace's own array, on the device if one is named."""
        make = self.xp.asarray if hasattr(self.xp, "asarray") else self.xp.array
        where = {} if self.device is None else {"device": self.device}
        if value.dtype.name == "bfloat16":
            return make(value.astype(np.float32), **where).astype(self.xp.bfloat16)
        return make(value.copy(), **where)

    def numpy(self, value: Any) -> Array:
        """Return the values by whatever way the array offers: CuPy's own, DLPack, or NumPy's protocol."""
        if hasattr(value, "get"):
            return np.asarray(value.get())
        try:
            return np.array(np.from_dlpack(value))
        except (AttributeError, TypeError, RuntimeError, BufferError):
            return np.array(value)

    def spell(self, value: Array) -> str:
        """Return an asarray call."""
        name = self.xp.__name__
        return f"{name}.asarray({self._listing(value)}, dtype={name}.{value.dtype.name})"

    def wrap_long(self, full: str, value: Array) -> str:
        """Convert from NumPy."""
        return f"{self.xp.__name__}.asarray({full}.astype({numpy_dtype(value)}))"


_BY_PACKAGE: dict[str, type[Framework]] = {"numpy": Framework, "torch": Torch, "jax": Jax, "tensorflow": TensorFlow}


def framework(xp: Any, device: Any = None) -> Framework:
    """Return the adapter of an array namespace.

    Raises
    ------
    TypeError
        ``xp`` is no module (a name in quotes, say).
    """
    name = getattr(xp, "__name__", None)
    if not isinstance(name, str) or isinstance(xp, type):
        raise TypeError(f"xp must be the array namespace itself, such as numpy or torch, not {xp!r}")
    # array_api_compat.torch and tensorflow's keras._tf_keras spellings name their framework somewhere in the path.
    parts = name.split(".")
    package = parts[1] if parts[0] == "array_api_compat" and len(parts) > 1 else parts[0]
    if package in ("torch", "jax", "tensorflow") and name != package:
        xp = sys.modules["jax.numpy"] if package == "jax" else sys.modules[package]
    elif name == "jax":
        xp = sys.modules["jax.numpy"]
    return _BY_PACKAGE.get(package, ArrayAPI)(xp, device)
