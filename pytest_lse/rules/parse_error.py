"""The file is not Python source that can be read, so nothing can be said about it.

What it does
------------
Reports a file that does not parse, is not in the encoding that it declares (UTF-8 by default), holds null bytes, cannot
be opened, or is called a notebook and is none. The other files of the run are checked all the same.

A large file in which no pattern can occur is not parsed unless it is named on the command line, so its syntax errors
are not reported.

Why is this bad?
----------------
Python refuses the file, and its numerics stay unchecked.

Example
-------
    def loss(:

Fix safety
----------
There is no fix.
"""

code = "LSE000"
title = "parse-error"
severity = "error"
