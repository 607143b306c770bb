"""Lowering: Python source to value graph. Nothing else in the project knows Python's syntax.

One pass from top to bottom with an environment name -> value. Parameters and whatever is not understood are opaque.
`environment` holds what is known at one point of the program, `expressions` and `calls` turn expressions into values,
`statements` follows the control flow, `functions` inlines calls of the module's own functions.
"""

from pytest_lse.lint.lower.statements import Lowerer as Lowerer
