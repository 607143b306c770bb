"""One file per kernel: a function that people get numerically wrong, and everything the project knows about it.

A kernel file imports nothing and is read by many (`pytest_lse.discovery`). Its names are a fixed schema:

``code``         rule code; a file without one is not traced into patterns (dynamic side only)
``args``         the arrays, in call order: name -> role (logits, labels, targets, mask, probabilities, ...)
``params``       the configuration with its defaults: name -> default
``naive``        what people write, as a formula ``naive(xp, *args, *params)`` of an array namespace ``xp``;
                 ``naive_<spelling>`` are further spellings. A parameter with a default value is that constant.
``stable``       the reference algorithm; ``stable_<spelling>`` are other stable spellings
``reduction``    "mean" where the kernel is the mean of its formula
``replacement``  framework -> the call a competent engineer would write. A source argument that the template does not
                 name means "no fix"; a framework that is not named has no fix either.
``unsafe``       framework -> why the replacement may differ beyond rounding there
``without_scipy``  spelling -> the replacement for NumPy where the configuration rules SciPy out
``witness``      dtype -> {"input", "returns", "truth"}: where the naive form fails in that dtype
``severity``     "error" (inf, nan, wrong value), "warning" (lost accuracy, dead gradient) or "info"
``bound``        how the answer is judged by default: "log" (absolutely in 1 + |answer|; the default) or "probability"
                 (relatively). The error bound itself follows from the ``stable`` spellings, see docs/error-bounds.md
``honest``       the names of the ``stable_`` spellings whose rounding errors the tolerance allows for; without a code: all
``vjp``          the closed-form gradient ``vjp(xp, g, *args, *params)``: a tuple with one gradient for each
                 differentiable argument; g has the output's shape, a reduced axis kept. ``vjp_<spelling>``: other
                 honest spellings, of which ``vjp_complement`` is none when the judge is strict
``layout``       "elements", "rows" (the default with an axis) or "whole": what can be evaluated alone

Formulas are branch-free: a symbolic ``xp`` traces them, and its values have no truth value, length or iteration.
The module docstring is the documentation: one line, then the sections What it does, Why is this bad, Example,
Use instead, Fix safety, Special values.
"""
