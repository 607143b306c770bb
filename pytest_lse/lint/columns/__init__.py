"""The columns of the op table: one module per framework, see `pytest_lse.lint.ops`.

``framework``  the name that the kernels' `replacement` tables use
``modules``    what `@` in a call stands for: the modules that share these spellings
``roots``      top-level modules whose import makes this framework's methods known in a file
``calls``      operation -> calls
"""
