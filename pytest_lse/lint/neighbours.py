"""The other modules of a file's project, found beside it on disk: nothing is imported or executed, no `sys.path` read.

A relative import is followed from the file's folder, an absolute one where its top package is a folder that the file
lies in, or, for a script that lies in no package, a module in the script's own folder. What is asked often is answered
from the lines alone; what was read is remembered as long as the file has not changed.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache, cached_property, lru_cache
from itertools import pairwise

from pytest_lse.lint.code import UncertainError, code
from pytest_lse.lint.dotted import joined

#: how many modules are remembered
_MOST = 512
#: how many names are remembered
_MOST_PLACES = 20_000
#: a package that hands on all of more modules than these is not searched for a name
_MOST_STARS = 10
#: a module of more bytes is not looked into
LARGEST = 1 << 20

# It begins with the line break, for which the engine scans fast.
_IMPORT = re.compile(r"\n[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n;]*)|import[ \t]+([\w. \t,]+))")
_NAME_AS = re.compile(r"([\w.]+|\*)(?:[ \t]+as[ \t]+(\w+))?")
_COMMENT = re.compile(r"#[^\n]*|\\\n")
_DEFINED = re.compile(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^\n=]*)?=(?!=)", re.MULTILINE)
#: the words without which a module makes no probabilities, in lower case
_TELLING = (b"softmax", b"sigmoid", b"expit")
_TELLING_WORDS = tuple(word.decode() for word in _TELLING)
_TOP = re.compile(r"\n(?=[^\W\d]|@)")
_WORD = re.compile(r"\w+")
#: an attribute of an instance that a statement may assign
_ASSIGNED = re.compile(r"\bself\.(\w+)(?:\[[^\]\n]*\])?[ \t]*(?=(?:[,:)][^\n=]*)?[-+*/]?=(?!=))")
_HEAD = re.compile(r"\bclass[ \t]+\w+[ \t]*(?:\(([^)]*)\))?")
_ATTRIBUTE = re.compile(r"\.[ \t]*(\w+)")

#: (module as it is spelt, name in it or "" for the module itself or "*", name that it is bound to)
Import = tuple[str, str, str]
#: file, and the name in it, "" for the module itself
Place = tuple[str, str]
#: part of a class: the names that it binds, the attributes that it reads, whether it holds a word for a probability
Part = tuple[set[str], set[str], bool]


class Module:
    """What the lines of a module say.

    Attributes
    ----------
    path
        The file.
    signature
        Its size and the time of its last change when it was read.
    makes_probabilities
        Whether it holds a word for a softmax or a sigmoid.
    """

    def __init__(self, path: str, signature: tuple[int, int], data: bytes) -> None:
        self.path = path
        self.signature = signature
        lowered = data.lower()
        self.makes_probabilities = any(word in lowered for word in _TELLING)

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names that its functions, classes and top-level assignments have."""
        return frozenset(a or b for a, b in _DEFINED.findall(self.text()))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """What it imports, at any depth."""
        return tuple(imports(self.text()))

    @cached_property
    def makers(self) -> frozenset[str]:
        """The names whose lines hold such a word, or the name of one that does."""
        text = self.text()
        try:
            text = code(text)
        except UncertainError:
            text = "\n" + text
        starts = [m.start() for m in _TOP.finditer(text)]
        parts = [text[a:b] for a, b in pairwise([*starts, len(text)])]
        words = [(m[1] or m[2], set(_WORD.findall(part))) for part in parts if (m := _DEFINED.search(part))]
        found = {name for name, its in words if any(map(_is_telling, its))}
        left = [(name, its) for name, its in words if name not in found]
        while more := {name for name, its in left if not its.isdisjoint(found)}:
            found |= more
            left = [(name, its) for name, its in left if name not in found]
        return frozenset(found)

    @cached_property
    def classes(self) -> dict[str, tuple[frozenset[str], tuple[Part, ...]]]:
        """The words of a class's head, and its parts."""
        from pytest_lse.lint.units import METHOD, Units

        try:
            units = Units.of(self.text())
        except UncertainError:
            return {}
        found = {}
        for members in units.classes:
            name = units.units[members[0]].name
            telling = self.makers - {name}
            texts = [(units.units[i], units.text(units.units[i])) for i in members]
            head = _HEAD.search(texts[0][1])
            bases = frozenset(_WORD.findall(head[1] or "") if head else ())
            found[name] = (
                bases,
                tuple(
                    (
                        {unit.name, *_ASSIGNED.findall(text)}
                        if unit.kind == METHOD
                        else set(_WORD.findall(text)) - bases - {"class", name},
                        set(_ATTRIBUTE.findall(text)),
                        any(w in telling or _is_telling(w) for w in _WORD.findall(text)),
                    )
                    for unit, text in texts
                ),
            )
        return found

    def text(self) -> str:
        """Return its source, "" if that is no Python source any more."""
        from pytest_lse.lint.read import UnreadableError, read

        try:
            with open(self.path, "rb") as stream:
                return read(stream.read(LARGEST + 1), self.path).cells[0]
        except (OSError, UnreadableError):
            return ""


#: (file, name) -> where the name is defined, for as long as a run lasts
_places: dict[Place, Place | None] = {}
_known: OrderedDict[str, Module] = OrderedDict()


def module(path: str) -> Module | None:
    """Return what the lines of a file say, None if it cannot be read."""
    try:
        status = os.stat(path)
        signature = (status.st_size, status.st_mtime_ns)
        found = _known.get(path)
        if found is None or found.signature != signature:
            with open(path, "rb") as stream:
                found = Module(path, signature, stream.read(LARGEST + 1))
    except OSError:
        return None
    _known[path] = found
    _known.move_to_end(path)
    if len(_known) > _MOST:
        _known.popitem(last=False)
    return found


def imports(text: str) -> Iterator[Import]:
    """Yield what the import statements in a text bind, at any depth."""
    for origin, names, plain in _IMPORT.findall("\n" + text):
        if origin:
            for name, alias in _NAME_AS.findall(_COMMENT.sub(" ", names.strip("()"))):
                yield origin, name, alias or name
        else:
            for name, alias in _NAME_AS.findall(plain):
                yield name, "", alias or name.partition(".")[0]


def locate(dotted: str, path: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Return where a dotted name of a file is defined, or where the project imports it from elsewhere.

    Parameters
    ----------
    dotted
        Module and name as the file imports them, `.layers.softmax`, and further attributes.
    path
        The file that imports it, as an absolute path.

    Returns
    -------
    tuple or None
        The file, the name in it ("" for the module itself), and the attributes that are left over.
    """
    return _locate(dotted, path, set())


def _locate(dotted: str, path: str, seen: set[Place]) -> tuple[str, str, tuple[str, ...]] | None:
    for folder, file, parts in _starts(dotted, path):
        for i, part in enumerate(parts):
            place = None
            if i < len(parts) - 1 and (not file or os.path.basename(file) == "__init__.py"):
                place = _module_in(os.path.dirname(file) if file else folder, part)
            if place is None:
                place = _place(file, part, seen) if file else _module_in(folder, part)
            if place is None:
                break
            file, name = place
            if name:
                return file, name, tuple(parts[i + 1 :])
        else:
            if file:
                return file, "", ()
    return None


def _starts(dotted: str, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the places where a dotted name may begin: a folder, its `__init__.py` if that counts, and the parts."""
    folder = os.path.dirname(path)
    name = dotted.lstrip(".")
    parts = name.split(".") if name else []
    level = len(dotted) - len(name)
    if level:
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        inside = os.path.join(folder, "__init__.py")
        yield folder, inside if inside != path and os.path.isfile(inside) else "", parts
        return
    is_package, roots = _around(folder)
    if not is_package:
        yield folder, "", parts
    for root in roots.get(parts[0], ()) if parts else ():
        yield root, "", parts


@cache
def _around(folder: str) -> tuple[bool, dict[str, list[str]]]:
    """Return whether a folder is a package, and for the names of it and those around it where they lie."""
    is_package = os.path.isfile(os.path.join(folder, "__init__.py"))
    roots: dict[str, list[str]] = {}
    while (parent := os.path.dirname(folder)) != folder:
        roots.setdefault(os.path.basename(folder), []).append(parent)
        folder = parent
    return is_package, roots


def forget() -> None:
    """Forget what lay where: a run sees the disk as it is when it begins."""
    _known.clear()
    _places.clear()
    _around.cache_clear()
    _module_in.cache_clear()
    _brings.cache_clear()
    _file_of.cache_clear()
    brought.cache_clear()


@lru_cache(maxsize=_MOST_PLACES)
def _module_in(folder: str, name: str) -> Place | None:
    """Return the file of a module or package in a folder."""
    for tail in (os.path.join(name, "__init__.py"), f"{name}.py"):
        path = os.path.join(folder, tail)
        if os.path.isfile(path):
            return path, ""
    return None


def _place(path: str, name: str, seen: set[Place]) -> Place | None:
    """Return where a name of a module is defined, "" for the name if it is a module itself."""
    if (path, name) in _places:
        return _places[path, name]
    if (path, name) in seen:
        return None
    seen.add((path, name))
    found = _find(path, name, seen)
    if len(seen) == 1 or found is not None:  # what was found on the way may depend on where that began
        if len(_places) > _MOST_PLACES:
            _places.clear()
        _places[path, name] = found
    return found


def _find(path: str, name: str, seen: set[Place]) -> Place | None:
    here = module(path)
    if here is None:
        return None
    if name in here.defined:
        return path, name
    stars = []
    for origin, what, bound in here.imports:
        if bound == name and what != "*":
            found = _locate(joined(origin, what), path, seen) if what else None
            # From elsewhere: the module knows it by this name.
            return (path, name) if found is None or found[2] else found[:2]
        if what == "*":
            stars.append(origin)
    for origin in stars if len(stars) <= _MOST_STARS else ():
        found = _locate(joined(origin, name), path, seen)
        if found is not None and not found[2]:
            return found[:2]
    return _module_in(os.path.dirname(path), name) if os.path.basename(path) == "__init__.py" else None


@lru_cache(maxsize=1)  # asked before the file is parsed, and again when it is
def brought(text: str, path: str) -> dict[str, Place | None]:
    """Return the names that a file imports from modules of its project that make probabilities.

    Parameters
    ----------
    text
        Its source.
    path
        Where it lies, as an absolute path.

    Returns
    -------
    dict
        Name in the file -> where that is defined, None where it may be more than that.
    """
    found: dict[str, Place | None] = {}
    folder, name = os.path.split(path)
    for origin, what, bound in imports(text):
        for brings, place in _brings(origin, what, folder, name == "__init__.py"):
            known = bound if what != "*" else brings
            is_part = not what and known != origin  # `import a.b` binds `a`
            found[known] = None if is_part or found.get(known, place) != place else place
    return found


@lru_cache(maxsize=_MOST_PLACES)
def _brings(origin: str, what: str, folder: str, is_package: bool) -> tuple[tuple[str, Place], ...]:
    """Return which names of a module may make probabilities, as far as an import in a folder's file takes them."""
    path = os.path.join(folder, "__init__.py" if is_package else "_.py")
    file = _file_of(origin, path)
    here = None if file is None else module(file)
    if here is None or not (here.makes_probabilities or os.path.basename(here.path) == "__init__.py"):
        return ()
    if what == "*":
        return tuple((name, (here.path, name)) for name in sorted(here.makers) if not name.isupper())
    if not what:
        return ((origin, (here.path, "")),) if here.makers else ()
    place = locate(joined(origin, what), path)
    return ((what, place[:2]),) if place is not None and makes(*place[:2]) else ()


def idle(path: str) -> frozenset[str]:
    """Return the names that a module defines and that make no probabilities."""
    here = module(path)
    return frozenset() if here is None else here.defined - here.makers


def inherited(path: str, name: str) -> frozenset[str] | None:
    """Return the names of a class's members that may make probabilities, None if that is not known.

    Parameters
    ----------
    path, name
        Where the class is defined.
    """
    return _inherited(path, name, set())


def _inherited(path: str, name: str, seen: set[Place]) -> frozenset[str] | None:
    if (path, name) in seen:
        return frozenset()
    seen.add((path, name))
    here = module(path)
    if here is None or name not in here.classes or _is_telling(name):
        return None
    bases, parts = here.classes[name]
    found: frozenset[str] = frozenset()
    imported = {bound: (origin, what) for origin, what, bound in here.imports}
    for base in bases:
        place = (path, base) if base in here.classes else None
        if place is None and base in imported:
            origin, what = imported[base]
            where = locate(joined(origin, what) if what else origin, path)
            place = None if where is None else where[:2]
        if place is not None:
            more = _inherited(*place, seen)
            if more is None:
                return None
            found |= more
    left = list(parts)
    while used := [part for part in left if part[2] or not part[1].isdisjoint(found)]:
        left = [part for part in left if part not in used]
        found = found.union(*(names for names, _, _ in used))
    return found


def _is_telling(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _TELLING_WORDS)


def makes(path: str, name: str) -> bool:
    """Return whether a name of a module, or the module itself, may make probabilities."""
    if name.isupper():  # a table of functions does not say which of them is meant
        return False
    if _is_telling(name):
        return True
    here = module(path)
    return here is not None and here.makes_probabilities and (name in here.makers if name else bool(here.makers))


@lru_cache(maxsize=_MOST_PLACES)
def _file_of(origin: str, path: str) -> str | None:
    """Return the file of a module that a file imports."""
    for root, file, parts in _starts(origin, path):
        for part in parts:
            place = _module_in(root, part)
            if place is None:
                break
            file = place[0]
            root = os.path.dirname(file)
        else:
            if file:
                return file
    return None
