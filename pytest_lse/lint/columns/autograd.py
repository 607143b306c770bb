"""HIPS autograd: NumPy wrapped so that it can be differentiated, and SciPy likewise."""

from pytest_lse.lint.columns import numpy

framework = "autograd"
modules = ("autograd.numpy",)
roots = ("autograd",)

calls = numpy.shared(
    {
        "sigmoid": "autograd.scipy.special.expit(x)",
        "logsumexp": "autograd.scipy.special.logsumexp(a=x, axis, b!, keepdims, return_sign!)"
        " | autograd.scipy.misc.logsumexp(x, axis, b!, keepdims)",
        "norm": "autograd.numpy.linalg.norm(x, ord~, axis, keepdims)",
        "bounded": "autograd.numpy.random.rand(x) | autograd.numpy.random.randn(x, a~, b~)",
    }
)
