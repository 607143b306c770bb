"""A suppression comment for one of these codes that suppresses nothing.

What it does
------------
Finds `# noqa: LSE001`, `# lse: ignore[LSE001]` and the comments for a whole file that name a code for which there is no
finding. Codes that are not selected in this run, codes of other tools and a bare `# noqa` are left alone.

Why is this bad?
----------------
It says that something is wrong where nothing is, and it hides the next mistake on that line.

Example
-------
    y = scipy.special.logsumexp(x)  # noqa: LSE001

Use instead
-----------
    y = scipy.special.logsumexp(x)

Fix safety
----------
Safe: only the comment, or the code in it, is removed.
"""

code = "LSE100"
title = "unused-noqa"
severity = "warning"
