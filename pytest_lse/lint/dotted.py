"""Dotted names of what is imported."""


def joined(origin: str, name: str) -> str:
    """Return the dotted name of what is imported from a module."""
    return f"{origin}{name}" if origin.endswith(".") else f"{origin}.{name}"
