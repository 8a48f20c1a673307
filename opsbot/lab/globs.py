"""The patterns of `rule_files` in a unit-test file: a folder and a pattern in, the paths that it names out.

They mean what Go's path/filepath (Match, Glob) says, as promtool asks it: `**` is no more than `*`, `[^a]` negates and
`[!a]` does not, a backslash takes the next letter as it is, and a dot at the head of a name is a letter like others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from opsbot.core.errors import ConfigError, Problem

_META = re.compile(r"[*?\[\\]")
_LETTER = r"(?:\\.|[^\\\]\-])"
_TOKEN = re.compile(rf"\*+|\?|\[(\^?+)((?:{_LETTER}(?:-{_LETTER})?)+)\]|\\.|[^\\*?\[]", re.DOTALL)
_RANGE = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)


def matching(folder: Path, pattern: str) -> list[Path]:
    """The paths that a pattern names, sorted, counted from a folder where it is not absolute; none is no error.

    ConfigError where the pattern is malformed or names a directory; its problems name the pattern, not the file in
    which it stands.
    """
    if not pattern:
        return []
    absolute = pattern.startswith("/")
    # a relative one is cleaned as text, its `..` too, before anything is looked up
    parts = (pattern if absolute else os.path.normpath(pattern)).split("/")
    names = [_compiled(part, pattern) for part in parts]
    plain = next((place for place, part in enumerate(parts) if _META.search(part)), len(parts))
    start = folder / "".join(f"{part}/" for part in parts[:plain])
    found = _below([start if absolute else Path(os.path.normpath(start))], names[plain:])
    for path in found:
        if path.is_dir():
            raise ConfigError([Problem(str(path), 0, 0, "is a directory", f"write {path}/*.yaml for the files in it")])
    return found


def _below(paths: Sequence[Path], names: Sequence[re.Pattern[str]]) -> list[Path]:
    """What is there of these paths, or below them where names are left to match."""
    for name in names:
        paths = [path / entry for path in paths for entry in _entries(path) if name.fullmatch(entry)]
    return [path for path in paths if _there(path)]


def _entries(path: Path) -> list[str]:
    """The names in a directory; what is none, or cannot be listed, is passed over as there."""
    try:
        return sorted(entry.name for entry in path.iterdir())
    except (OSError, ValueError):
        return []


def _there(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a zero byte
        return False


def _compiled(part: str, pattern: str) -> re.Pattern[str]:
    """One name of a pattern as a regular expression."""
    pieces = [""]
    at = 0
    while at < len(part):
        found = _TOKEN.match(part, at)
        if found is None:
            raise ConfigError([Problem(pattern, 0, 0, "is a bad pattern", f"{part[at:][:40]!r} is not finished")])
        pieces += [""] if found[0][0] == "*" else []
        pieces[-1] += _expression(found)
        at = found.end()
    first, *rest = pieces
    # the nearest place for what stands between two stars is always good enough: no need to come back to it
    return re.compile(first + "".join(_spread(rest)), re.DOTALL)


def _spread(rest: Sequence[str]) -> Iterator[str]:
    yield from (f"(?>.*?{piece})" for piece in rest[:-1])
    yield from (f".*{piece}" for piece in rest[-1:])


def _expression(found: re.Match[str]) -> str:
    if found[0][0] in "*?":
        return "." if found[0] == "?" else ""
    if found[2] is None:
        return re.escape(found[0][-1])
    ranges = [(low, high or low) for low, high in _RANGE.findall(found[2])]
    inside = "|".join(f"[{re.escape(low)}-{re.escape(high)}]" for low, high in ranges if low <= high) or "(?!)"
    return f"(?{'!' if found[1] else '='}{inside})."
