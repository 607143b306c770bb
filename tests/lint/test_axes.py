from __future__ import annotations

import pytest

from pytest_lse.lint.analyse import analyse

HEADS = {
    "jnp": "import jax.numpy as jnp\n",
    "np": "import numpy as np\nimport scipy.special\n",
    "torch": "import torch\n",
    "tf": "import tensorflow as tf\n",
}


def finding(body):
    head = next(text for name, text in HEADS.items() if f"{name}." in body)
    (found,) = analyse(f"{head}\n\ndef f(x, a):\n    return {body}\n", "a.py")
    return found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("torch.exp(x) / torch.exp(x).sum((0, 1), keepdim=True)", "torch's function takes a single dim"),
        ("torch.log(torch.exp(x) / torch.exp(x).sum((1, 2), keepdim=True))", "torch's function takes a single dim"),
        (
            "tf.exp(x) / tf.reduce_sum(tf.exp(x), axis=[0, 1], keepdims=True)",
            "tensorflow's function takes a single axis",
        ),
        ("torch.exp(x) / torch.exp(x).sum()", "torch needs a known dim"),
        ("tf.exp(x) / tf.reduce_sum(tf.exp(x))", "tensorflow needs a known axis"),
        ("np.log(np.cumsum(np.exp(x)))", "numpy needs a known axis"),
        ("torch.log(torch.exp(x).mean((0, 1)))", "the replacement needs the number of a single axis"),
        ("np.log(np.mean(np.exp(x), axis=(0, 1)))", "the replacement needs a single axis"),
        ("jnp.log(jnp.cumsum(jnp.exp(x), axis=-1))", "jax.lax takes no axis that is counted from the end"),
        ("jnp.log(jnp.cumsum(jnp.exp(x), axis=a))", "jax.lax takes no axis that is counted from the end"),
    ],
)
def test_axes_that_a_function_does_not_take(body, reason):
    found = finding(body)
    assert found.fix is None
    assert found.no_fix_reason == reason


@pytest.mark.parametrize(
    "body",
    [
        "torch.log(torch.exp(x).sum((0, 1)))",
        "np.exp(x) / np.exp(x).sum((0, 1), keepdims=True)",
        "jnp.exp(x) / jnp.exp(x).sum((0, 1), keepdims=True)",
        "jnp.log(jnp.cumsum(jnp.exp(x), axis=1))",
        "torch.log(torch.exp(x).mean(1))",
        "torch.log(torch.exp(x).cumsum(-1))",
        "torch.log(torch.exp(x).sum(a))",
    ],
)
def test_axes_that_it_takes(body):
    assert finding(body).fix is not None
