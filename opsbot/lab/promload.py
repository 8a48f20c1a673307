"""The rule files that a unit-test file names: their patterns in, groups of rules out, or every problem at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from opsbot.core.errors import ConfigError, Problem
from opsbot.lab.globs import matching
from opsbot.lab.promtests import PromTests
from opsbot.monitor.rules import promfile
from opsbot.monitor.rules.promgroups import Group
from opsbot.yamlfile import read_text

_BORDER = re.compile(r"^(?:---|\.\.\.)(?=\s|$)", re.MULTILINE)
_GROUPS = re.compile(r"""^(?:groups|"groups"|'groups')\s*:""", re.MULTILINE)


def groups(tests: PromTests) -> list[Group]:
    """The groups of all its rule files, each file once; ConfigError with all their problems."""
    found: list[Group] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(path for pattern in tests.rule_files for path in _paths(tests, pattern, problems)):
        try:
            found += promfile.parse(first(read_text(path)), str(path)).groups
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found


def doubts(tests: PromTests) -> Iterator[Problem]:
    """What is odd and no problem, to promtool neither: series that are lost, a pattern that names nothing, no test."""
    yield from tests.warnings
    for pattern in tests.rule_files:
        if not _paths(tests, pattern, []):
            yield Problem(tests.file, 0, 0, f"rule_files: {pattern!r} names no file")
    if not any(test.alerts or test.expressions for test in tests.groups):
        yield Problem(tests.file, 0, 0, "has no case: nothing was compared")


def first(text: str) -> str:
    """The text up to the second document of a plain rule file, of which Prometheus reads the first (rulefmt.Parse).

    A line of `---` can stand nowhere but between documents. Objects are read all, as kubectl prints them.
    """
    border = _BORDER.search(text)
    if border and all(line.strip()[:1] in ("", "#", "%") for line in text[: border.start()].split("\n")):
        border = _BORDER.search(text, border.end())
    whole = text[: border.start()] if border else text
    return whole if _GROUPS.search(whole) else text


def _paths(tests: PromTests, pattern: str, problems: list[Problem]) -> list[Path]:
    """The files of a pattern; what is wrong with it is added to the problems."""
    try:
        return matching(Path(tests.file).parent, pattern)
    except ConfigError as error:
        named = (
            replace(one, file=tests.file, message=f"rule_files: {one.file!r} {one.message}") for one in error.problems
        )
        problems += named
        return []
