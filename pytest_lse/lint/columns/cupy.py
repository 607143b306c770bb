"""CuPy: NumPy's spellings, and SciPy's under cupyx.scipy."""

from pytest_lse.lint.columns import numpy

framework = "cupy"
modules = ("cupy",)
roots = ("cupy", "cupyx")

calls = numpy.shared(
    {
        "maxlike": "cupyx.scatter_max(a=x, slices~, value~)",
        "sigmoid": "cupyx.scipy.special.expit(x, out!)",
        "log_sigmoid": "cupyx.scipy.special.log_expit(x, out!)",
        "softmax": "cupyx.scipy.special.softmax(x, axis:None)",
        "log_softmax": "cupyx.scipy.special.log_softmax(x, axis:None)",
        "logsumexp": "cupyx.scipy.special.logsumexp(a=x, axis, b!, keepdims, return_sign!)",
        "xlogy": "cupyx.scipy.special.xlogy(x, y)",
        "cast": "cupy.asnumpy(a=x, stream~, order~) | .get(stream~)",
        "norm": "cupy.linalg.norm(x, ord~, axis, keepdims)",
        "bounded": "cupy.random.rand(x) | cupy.random.random(size=x) | cupy.random.uniform(low=x)",
    }
)
