from __future__ import annotations

import ast
import subprocess
import sys
import textwrap

import pytest

from pytest_lse.lint.edits import apply_edits
from pytest_lse.lint.finding import Edit
from pytest_lse.lint.imports import Imports
from pytest_lse.lint.positions import Positions


def spelled(source, dotted="scipy.special.logsumexp", filename="script.py"):
    """The source with HERE spelled out, None if there is no way to."""
    tree = ast.parse(source)
    imports = Imports(tree, source, filename)
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "HERE"]
    assert len(nodes) == 1
    (parent,) = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and nodes[0] is n.func] or nodes
    spelling = imports.spell(dotted, parent)
    if spelling is None:
        return None
    positions = Positions(source)
    changed = apply_edits(source, [*spelling.edits, Edit(spelling.text, *positions.span(nodes[0]))])
    ast.parse(changed)
    return changed


def dedent(text):
    return textwrap.dedent(text).lstrip("\n")


BOUND = {
    # what the file imports, the dotted name, what the file would write
    "import numpy as np": ("numpy.logaddexp", "np.logaddexp"),
    "import numpy": ("numpy.logaddexp", "numpy.logaddexp"),
    "import torch as th": ("torch.nn.functional.softplus", "th.nn.functional.softplus"),
    "import torch, torch.nn.functional as F": ("torch.nn.functional.softplus", "F.softplus"),
    "from torch import nn": ("torch.nn.functional.softplus", "nn.functional.softplus"),
    "import torch.nn as nn": ("torch.nn.functional.softplus", "nn.functional.softplus"),
    "from torch.nn.functional import softplus as sp": ("torch.nn.functional.softplus", "sp"),
    "import jax": ("jax.scipy.special.logsumexp", "jax.scipy.special.logsumexp"),
    "import jax.numpy as jnp, jax": ("jax.nn.softmax", "jax.nn.softmax"),
    "from jax import numpy as jnp": ("jax.numpy.logaddexp", "jnp.logaddexp"),
    "from jax import nn as jnn": ("jax.nn.softmax", "jnn.softmax"),
    "from jax.scipy.special import logsumexp": ("jax.scipy.special.logsumexp", "logsumexp"),
    "import tensorflow as tf": ("tensorflow.math.softplus", "tf.math.softplus"),
    "import tensorflow.compat.v1 as tf1": ("tensorflow.nn.softmax", "tf1.nn.softmax"),
    "from scipy.special import logsumexp as lse": ("scipy.special.logsumexp", "lse"),
    "from scipy import special": ("scipy.special.logsumexp", "special.logsumexp"),
    "import scipy.special as sps": ("scipy.special.logsumexp", "sps.logsumexp"),
    "import scipy.special": ("scipy.special.logsumexp", "scipy.special.logsumexp"),
    "import scipy as sp, scipy.special": ("scipy.special.logsumexp", "sp.special.logsumexp"),
    "import scipy as sp; sp.special.expit(0)": ("scipy.special.logsumexp", "sp.special.logsumexp"),
    "try:\n    import numpy as np\nexcept ImportError:\n    import numpy as np": ("numpy.log", "np.log"),
    "try:\n    from scipy.special import logsumexp\nexcept ImportError:\n    from scipy.misc import logsumexp": (
        "scipy.special.logsumexp",
        "logsumexp",
    ),
}


@pytest.mark.parametrize(("imports", "dotted", "expected"), [(k, *v) for k, v in BOUND.items()], ids=list(BOUND))
@pytest.mark.parametrize("body", ["y = HERE\n", "def f(x):\n    return [HERE for v in x]\n"])
def test_aliases_are_reused(imports, dotted, expected, body):
    if imports.startswith("try"):
        body = body.replace("HERE", f"HERE({expected.partition('.')[0]})")
    source = f"{imports}\n\n\n{body}"
    assert spelled(source, dotted) == source.replace("HERE", expected)


@pytest.mark.parametrize(
    "use",
    [
        "def f(np): HERE",
        "def f():\n    np = 1\n    HERE",
        "def f():\n    for np in x: HERE",
        "[HERE for np in x]",
        "lambda np: HERE",
        "def f():\n    HERE\n    del np",
        "def f():\n    with x as np: HERE",
        "def f():\n    if (np := 1): HERE",
        "def f():\n    import cupy as np\n    HERE",
    ],
)
def test_a_shadowed_alias_is_not_used(use):
    assert spelled(f"import numpy as np\n{use}\n", "numpy.log") == (
        f"import numpy as np\nimport numpy\n{use}\n".replace("HERE", "numpy.log")
    )


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import numpy as np\nnp = None", "import numpy as np\nimport numpy\nnp = None"),
        (
            "import numpy as np\ndef g():\n    global np\n    np = 1",
            "import numpy as np\nimport numpy\ndef g():\n    global np\n    np = 1",
        ),
        ("from . import np", "import numpy\n\nfrom . import np"),
        ("if x:\n    import numpy as np\nelse:\n    import cupy as np", None),
        ("import math as np, numpy", "import math as np, numpy"),
    ],
)
def test_an_alias_that_may_hold_something_else_is_not_used(imports, expected):
    use = "def f(): numpy.log()\n"
    assert spelled(f"{imports}\ndef f(): HERE()\n", "numpy.log") == (expected and f"{expected}\n{use}")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "def g():\n    import numpy as np",
        "class C:\n    import numpy as np",
        "def g():\n    if x:\n        import numpy as np",
    ],
)
def test_an_import_of_another_scope_is_no_import(elsewhere):
    assert spelled(f"{elsewhere}\ndef f(): HERE()\n", "numpy.log") == (
        f"import numpy as np\n\n\n{elsewhere}\ndef f(): np.log()\n"
    )


def test_type_checking_imports_are_not_there_at_run_time():
    source = "import typing\nif typing.TYPE_CHECKING:\n    import numpy as np\ndef f(): HERE()\n"
    assert spelled(source, "numpy.log") == source.replace("typing\n", "typing\n\nimport numpy\n\n", 1).replace(
        "HERE", "numpy.log"
    )


def test_names_in_force_only_later_are_not_used():
    assert (
        spelled("y = HERE\nimport numpy as np\n", "numpy.log") == "import numpy\n\ny = numpy.log\nimport numpy as np\n"
    )
    function = "def f(): HERE\nimport numpy as np\n"
    assert spelled(function, "numpy.log") == function.replace("HERE", "np.log")


def test_local_imports_are_used_where_they_are_in_force():
    inside = "def f():\n    import numpy as np\n    return HERE\n"
    assert spelled(inside, "numpy.log") == inside.replace("HERE", "np.log")
    nested = "def f():\n    if x:\n        import numpy as np\n        return HERE\n"
    assert spelled(nested, "numpy.log") == nested.replace("HERE", "np.log")
    beside = "def f():\n    if x:\n        import numpy as np\n    return HERE\n"
    assert spelled(beside, "numpy.log") == "import numpy\n\n\n" + beside.replace("HERE", "numpy.log")


def test_a_guarded_alias_is_used_where_the_place_reads_it():
    source = "try:\n    import numpy as np\nexcept ImportError:\n    np = None\ndef f(x): return HERE(np.exp(x))\n"
    assert spelled(source, "numpy.log") == source.replace("HERE", "np.log")
    assert spelled(source.replace("np.exp", "exp"), "numpy.log") is None


def test_an_optional_dependency_is_not_imported():
    guarded = "try:\n    import scipy\nexcept ImportError:\n    scipy = None\ndef f(x): return HERE\n"
    assert spelled(guarded) is None
    assert spelled("if x:\n    from scipy.special import expit\ny = HERE\n") is None
    required = (
        "try:\n    from scipy.special import expit\nexcept ImportError:\n    from scipy.misc import expit\nHERE\n"
    )
    assert spelled(required) == "import scipy.special\n\n" + required.replace("HERE", "scipy.special.logsumexp")


def test_builtins():
    assert spelled("y = HERE\n", "max") == "y = max\n"
    assert spelled("def f(max): return HERE\n", "max") is None


PLACES = {
    "below numpy": (
        """
        import math

        import numpy as np
        import torch

        from . import x

        y = HERE
        """,
        """
        import math

        import numpy as np
        import scipy.special
        import torch

        from . import x

        y = scipy.special.logsumexp
        """,
    ),
    "docstring": (
        '''
        """Doc.

        More.
        """

        def f():
            return HERE
        ''',
        '''
        """Doc.

        More.
        """

        import scipy.special


        def f():
            return scipy.special.logsumexp
        ''',
    ),
    "docstring alone on top": (
        '''
        """Doc."""
        y = HERE
        ''',
        '''
        """Doc."""

        import scipy.special

        y = scipy.special.logsumexp
        ''',
    ),
    "future": (
        '''
        """Doc."""
        from __future__ import annotations

        y = HERE
        ''',
        '''
        """Doc."""
        from __future__ import annotations

        import scipy.special

        y = scipy.special.logsumexp
        ''',
    ),
    "shebang, encoding and licence": (
        """
        #!/usr/bin/env python
        # -*- coding: utf-8 -*-
        # Licence
        y = HERE
        """,
        """
        #!/usr/bin/env python
        # -*- coding: utf-8 -*-
        # Licence
        import scipy.special

        y = scipy.special.logsumexp
        """,
    ),
    "licence, then a comment of the first statement": (
        """
        # Licence

        # about f
        @dec
        def f():
            return HERE
        """,
        """
        # Licence

        import scipy.special


        # about f
        @dec
        def f():
            return scipy.special.logsumexp
        """,
    ),
    "only the standard library": (
        """
        import math
        import os


        def f():
            return HERE
        """,
        """
        import math
        import os

        import scipy.special


        def f():
            return scipy.special.logsumexp
        """,
    ),
    "only the standard library, code below": (
        """
        import math
        y = HERE
        """,
        """
        import math

        import scipy.special

        y = scipy.special.logsumexp
        """,
    ),
    "standard library and local": (
        """
        import math

        from . import x
        y = HERE
        """,
        """
        import math

        import scipy.special

        from . import x
        y = scipy.special.logsumexp
        """,
    ),
    "standard library and local in one run": (
        """
        import math
        from . import x
        y = HERE
        """,
        """
        import math
        import scipy.special
        from . import x
        y = scipy.special.logsumexp
        """,
    ),
    "only local": (
        """
        # Licence

        # ours
        from . import x
        y = HERE
        """,
        """
        # Licence

        import scipy.special

        # ours
        from . import x
        y = scipy.special.logsumexp
        """,
    ),
    "unsorted": (
        """
        import torch
        import os
        import numpy as np
        import attrs
        y = HERE
        """,
        """
        import torch
        import os
        import numpy as np
        import scipy.special
        import attrs
        y = scipy.special.logsumexp
        """,
    ),
    "unsorted with a sibling": (
        """
        import scipy.optimize
        import numpy as np
        import attrs
        y = HERE
        """,
        """
        import scipy.optimize
        import scipy.special
        import numpy as np
        import attrs
        y = scipy.special.logsumexp
        """,
    ),
    "unsorted strangers": (
        """
        import yaml
        import attrs
        y = HERE
        """,
        """
        import yaml
        import attrs
        import scipy.special
        y = scipy.special.logsumexp
        """,
    ),
    "imports before froms": (
        """
        import attrs
        import numpy as np
        from attr import s
        from sklearn import base
        y = HERE
        """,
        """
        import attrs
        import numpy as np
        import scipy.special
        from attr import s
        from sklearn import base
        y = scipy.special.logsumexp
        """,
    ),
    "sorted by module alone": (
        """
        from attr import s
        import numpy as np
        from sklearn import base
        y = HERE
        """,
        """
        from attr import s
        import numpy as np
        import scipy.special
        from sklearn import base
        y = scipy.special.logsumexp
        """,
    ),
    "first of its section": (
        """
        # third party
        from sklearn import base
        import torch

        y = HERE
        """,
        """
        # third party
        import scipy.special
        from sklearn import base
        import torch

        y = scipy.special.logsumexp
        """,
    ),
    "not below the place that needs it": (
        """
        y = HERE

        import numpy as np
        """,
        """
        import scipy.special

        y = scipy.special.logsumexp

        import numpy as np
        """,
    ),
    "below a hack of the path": (
        """
        import sys
        sys.path.insert(0, "..")
        import numpy as np
        y = HERE
        """,
        """
        import sys
        sys.path.insert(0, "..")
        import numpy as np
        import scipy.special
        y = scipy.special.logsumexp
        """,
    ),
    "never in a block": (
        """
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            import scipy.special
        try:
            import yaml
        except ImportError:
            yaml = None


        def f():
            import pandas
            return HERE
        """,
        """
        from typing import TYPE_CHECKING

        import scipy.special

        if TYPE_CHECKING:
            import scipy.special
        try:
            import yaml
        except ImportError:
            yaml = None


        def f():
            import pandas
            return scipy.special.logsumexp
        """,
    ),
    "several statements on a line": (
        """
        import numpy as np; import attrs; x = '''
        '''; y = 1
        z = HERE
        """,
        """
        import numpy as np; import attrs; x = '''
        '''; y = 1
        import scipy.special
        z = scipy.special.logsumexp
        """,
    ),
    "a member of an import that is there": (
        """
        from scipy.special import betaln, xlogy
        y = HERE
        """,
        """
        from scipy.special import betaln, logsumexp, xlogy
        y = logsumexp
        """,
    ),
    "the last member, unsorted": (
        """
        from scipy.special import (xlogy, betaln)
        y = HERE
        """,
        """
        from scipy.special import (xlogy, betaln, logsumexp)
        y = logsumexp
        """,
    ),
    "a member a line": (
        """
        from scipy.special import (
            betaln,
            xlogy,
        )
        y = HERE
        """,
        """
        from scipy.special import (
            betaln,
            logsumexp,
            xlogy,
        )
        y = logsumexp
        """,
    ),
    "a member a line, the last": (
        """
        from scipy.special import (
            betaln,
            expit,  # why
        )
        y = HERE
        """,
        """
        from scipy.special import (
            betaln,
            expit,
            logsumexp,  # why
        )
        y = logsumexp
        """,
    ),
    "no room in the line": (
        """
        from scipy.special import betaln, betainc, betaincinv, binom, boxcox, boxcox1p, chdtr, xlogy
        y = HERE
        """,
        """
        import scipy.special
        from scipy.special import betaln, betainc, betaincinv, binom, boxcox, boxcox1p, chdtr, xlogy
        y = scipy.special.logsumexp
        """,
    ),
    "scipy alone may not have loaded its submodule": (
        """
        import scipy
        y = HERE
        """,
        """
        import scipy
        import scipy.special
        y = scipy.special.logsumexp
        """,
    ),
    "scipy is another thing": (
        """
        import numpy as np
        scipy = 1
        y = HERE
        """,
        """
        import numpy as np
        from scipy.special import logsumexp
        scipy = 1
        y = logsumexp
        """,
    ),
    "both names are taken": (
        """
        import numpy as np
        def logsumexp(scipy):
            return HERE
        """,
        """
        import numpy as np
        from scipy.special import logsumexp as scipy_logsumexp
        def logsumexp(scipy):
            return scipy_logsumexp
        """,
    ),
    "names of a star import": (
        """
        from helpers import *
        logsumexp(scipy)
        y = HERE
        """,
        """
        from helpers import *
        from scipy.special import logsumexp as scipy_logsumexp
        logsumexp(scipy)
        y = scipy_logsumexp
        """,
    ),
}


@pytest.mark.parametrize(("before", "after"), PLACES.values(), ids=list(PLACES))
def test_place(before, after):
    assert spelled(dedent(before)) == dedent(after)


@pytest.mark.parametrize(
    ("before", "after"), [p for p in PLACES.values() if "*" not in p[0] and "path" not in p[0]], ids=str
)
def test_sorted_imports_stay_sorted(before, after, tmp_path):
    def complaints(text):
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=I", "--stdin-filename=a.py", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=tmp_path, check=False)
        return done.stdout

    before, after = dedent(before), dedent(after)
    if "All checks passed" in complaints(before):
        assert "All checks passed" in complaints(after)


@pytest.mark.parametrize(
    ("dotted", "line", "text"),
    [
        ("numpy.logaddexp", "import numpy as np", "np.logaddexp"),
        ("jax.numpy.logaddexp", "import jax.numpy as jnp", "jnp.logaddexp"),
        ("jax.nn.softmax", "import jax", "jax.nn.softmax"),
        ("tensorflow.nn.softmax", "import tensorflow as tf", "tf.nn.softmax"),
        ("torch.nn.functional.softplus", "import torch", "torch.nn.functional.softplus"),
        ("math.log1p", "import math", "math.log1p"),
    ],
)
def test_conventional_names(dotted, line, text):
    assert spelled("y = HERE\n", dotted) == f"{line}\n\ny = {text}\n"


def test_no_name_is_left():
    taken = "scipy = logsumexp = scipy_logsumexp = 1\n"
    assert spelled(f"{taken}y = HERE\n") is None


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_line_endings(newline):
    before, after = (dedent(t).replace("\n", newline) for t in PLACES["below numpy"])
    assert spelled(before) == after
    before, after = (dedent(t).replace("\n", newline) for t in PLACES["a member a line"])
    assert spelled(before) == after


def test_no_final_newline():
    assert spelled("HERE\nimport numpy") == "import scipy.special\n\nscipy.special.logsumexp\nimport numpy"
    assert spelled("import numpy; HERE") == "import scipy.special\n\nimport numpy; scipy.special.logsumexp"


def test_no_room_beside_a_continued_line():
    assert spelled("import numpy; \\\nx = 1\ny = HERE\n") == (
        "import numpy; \\\nx = 1\nimport scipy.special\ny = scipy.special.logsumexp\n"
    )


def test_a_package_does_not_import_itself(tmp_path):
    inside = tmp_path / "scipy" / "stats"
    inside.mkdir(parents=True)
    for folder in (inside, inside.parent):
        (folder / "__init__.py").touch()
    (inside / "a.py").write_text("y = HERE\n")
    assert spelled("y = HERE\n", filename=str(inside / "a.py")) is None
    assert spelled("y = HERE\n", filename="scipy/stats/not_there.py") is None
    bound = "from scipy.special import logsumexp\nHERE\n"
    assert spelled(bound, filename=str(inside / "a.py")) is None  # it may be logsumexp itself that calls it
    assert spelled(bound, "numpy.log", filename=str(inside / "a.py")) is not None


def test_a_neighbour_hides_the_package(tmp_path):
    (tmp_path / "a.py").touch()
    assert spelled("y = HERE\n", filename=str(tmp_path / "a.py")) is not None
    (tmp_path / "scipy.py").touch()
    assert spelled("y = HERE\n", filename=str(tmp_path / "a.py")) is None
    assert spelled("y = HERE\n", filename=str(tmp_path / "scipy.py")) is None


def test_own_package_is_local(tmp_path):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").touch()
    source = "import numpy\n\nimport mine.b\n\ny = HERE\n"
    assert spelled(source, filename=str(package / "a.py")).startswith(
        "import numpy\nimport scipy.special\n\nimport mine"
    )


def test_cells_of_a_notebook():
    cells = [ast.parse("import numpy as np\nimport scipy.special\n\nscipy = scipy"), ast.parse("\nnp.exp(HERE)\n")]
    (here,) = [n for n in ast.walk(cells[1]) if isinstance(n, ast.Name) and n.id == "HERE"]
    imports = Imports(cells[1], "\nnp.exp(HERE)\n", "a.ipynb", cells[:1])
    assert imports.spell("numpy.log", here) == ("np.log", ())
    text, edits = imports.spell("scipy.special.logsumexp", here)
    assert text == "logsumexp"
    assert apply_edits("\nnp.exp(HERE)\n", edits) == "\nfrom scipy.special import logsumexp\n\nnp.exp(HERE)\n"
