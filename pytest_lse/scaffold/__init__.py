"""Finds the functions of a repository that are a kernel, and writes tests for them. No user code runs before `check`.

`vocabulary` traces every kernel, `recognise` compares a function's value graph with them, `find` walks a repository,
`write` spells the tests and `check` runs them.
"""
