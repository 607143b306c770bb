"""Which codes are on: codes, prefixes and ALL, the more specific one wins, as in ruff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.discovery import KernelFile

#: reported whatever is selected, since nothing else can be said of such a file; only its full name ignores it
PARSE_ERROR = "LSE000"
#: they matter only near 0
OFF_BY_DEFAULT = ("LSE013", "LSE014")


class UnknownCodeError(ValueError):
    """A code or prefix that no rule has."""


class Selection:
    """The codes that are on.

    Parameters
    ----------
    select
        Codes, prefixes or `ALL`; None means all but those that are off by default.
    extend_select
        Turned on in addition.
    ignore
        Turned off; wins over `select` where both are as specific.
    """

    __slots__ = ("_known", "extend_select", "ignore", "select")

    def __init__(
        self,
        select: Sequence[str] | None = None,
        extend_select: Sequence[str] = (),
        ignore: Sequence[str] = (),
    ) -> None:
        self.select = None if select is None else tuple(select)
        self.extend_select = tuple(extend_select)
        self.ignore = tuple(ignore)
        self._known: dict[str, bool] = {}

    def enabled(self, code: str) -> bool:
        """Say whether findings of that code are reported."""
        if code not in self._known:
            self._known[code] = self._decide(code)
        return self._known[code]

    def _decide(self, code: str) -> bool:
        if code == PARSE_ERROR:
            return code not in self.ignore
        on = _specificity(code, self.extend_select)
        if self.select is not None:
            on = max(on, _specificity(code, self.select))
        elif code not in OFF_BY_DEFAULT:
            on = max(on, 0)
        return on > _specificity(code, self.ignore)

    def __reduce__(self) -> tuple[type[Selection], tuple[tuple[str, ...] | None, tuple[str, ...], tuple[str, ...]]]:
        return (Selection, (self.select, self.extend_select, self.ignore))


def _specificity(code: str, selectors: Iterable[str]) -> int:
    """Length of the longest selector that covers the code, 0 for ALL, -1 for none."""
    lengths = [0 if s == "ALL" else len(s) for s in selectors if s == "ALL" or code.startswith(s)]
    return max(lengths, default=-1)


def parse_codes(texts: Iterable[str], origin: str) -> list[str]:
    """Split comma-separated selectors and check that each one covers a rule.

    Parameters
    ----------
    texts
        What the user wrote, each perhaps several selectors.
    origin
        Where it was written, for the message.

    Raises
    ------
    UnknownCodeError
        A selector covers no rule; the message names the closest one.
    """
    selectors = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    for selector in selectors:
        if selector != "ALL" and not any(code.startswith(selector) for code in known_codes()):
            raise UnknownCodeError(f"unknown code {selector!r} in {origin}{_closest(selector)}")
    return selectors


def known_codes() -> list[str]:
    """Return every rule's code, sorted."""
    from pytest_lse.discovery import coded

    return [file.code for file in coded() if file.code]


def _closest(selector: str) -> str:
    import difflib

    names = {file.title: file.code for file in _rules()}
    codes = known_codes()
    if selector.lower().replace("_", "-") in names:
        return f": did you mean {names[selector.lower().replace('_', '-')]}?"
    near = difflib.get_close_matches(selector.upper(), codes, n=1, cutoff=0.6)
    if not near:
        titles = difflib.get_close_matches(selector.lower().replace("_", "-"), names, n=1, cutoff=0.6)
        near = [names[title] or "" for title in titles]
    return f": did you mean {near[0]}?" if near else f": the codes are {codes[0]} to {codes[-1]}, or ALL"


def _rules() -> Iterable[KernelFile]:
    from pytest_lse.discovery import coded

    return coded()
