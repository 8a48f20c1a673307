"""The rules of the house that no linter can say, read off the syntax trees."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "opsbot").rglob("*.py"))
NAMERS_OF_THE_WRITER = ("opsbot/core/ports.py", "opsbot/app", "opsbot/remediate")
MAKERS_OF_MASKED_TEXT = ("opsbot/mask", "opsbot/core/evidence.py")
TAKERS_OF_KEPT_TEXT = ("opsbot/store",)
READERS_OF_THE_ENVIRONMENT = ("opsbot/config",)
READERS_OF_THE_CLOCK = ("opsbot/app", "opsbot/practice")
# Where an error of any kind is caught: what fails inside becomes a record, a gap or an answer, and the loop lives on.
CATCH_ALL = (
    "opsbot/tasks/worker.py",
    "opsbot/tasks/attempt.py",
    "opsbot/diagnose/collect.py",
    "opsbot/chat/bolt.py",
    "opsbot/chat/clerk.py",
    "opsbot/chat/inbox.py",
    "opsbot/chat/outbox.py",
    "opsbot/web/intake.py",
    "opsbot/testing/cluster/apiserver.py",
)
EMPTY_NAMES = re.compile(r"utils?|common|helpers?|managers?|misc|impl")
EMPTY_CLASSES = re.compile(r".*(?:Utils?|Impl|Helpers?|Managers?)")
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def nodes(file: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(file)))


def within(file: str, places: tuple[str, ...]) -> bool:
    """Whether a file is one of these files or modules, or lies in one of these folders."""
    return any(file in (place, f"{place}.py") or file.startswith(f"{place}/") for place in places)


def lines(file: str, found: Iterator[ast.AST]) -> list[str]:
    return [f"{file}:{getattr(node, 'lineno', 0)}" for node in found]


def imported(file: str) -> Iterator[tuple[str, int]]:
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def named(file: str, word: str) -> Iterator[ast.AST]:
    """Every place that names a word: as a name, an attribute, an import or a class."""
    for node in nodes(file):
        names = (getattr(node, field, None) for field in ("id", "attr", "name", "asname"))
        if word in names:
            yield node


def called(file: str, name: str) -> Iterator[ast.AST]:
    for node in nodes(file):
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", ""), getattr(node.func, "attr", "")):
            yield node


def clock_reads(file: str) -> Iterator[ast.AST]:
    for node in nodes(file):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "id", "") or getattr(node.value, "attr", "")
            if (owner, node.attr) in CLOCKS:
                yield node


def catches_all(file: str) -> Iterator[ast.AST]:
    """Handlers of every error that do not raise it again."""
    for node in nodes(file):
        if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or getattr(kind, "id", "") in ("Exception", "BaseException") for kind in kinds):
                yield node


def takes_kept(file: str) -> Iterator[ast.AST]:
    for node in nodes(file):
        if isinstance(node, ast.ImportFrom) and node.module == "opsbot.mask":
            yield from (node for name in node.names if name.name == "kept")
        elif isinstance(node, ast.Attribute) and (getattr(node.value, "id", ""), node.attr) == ("mask", "kept"):
            yield node


def environment_reads(file: str) -> Iterator[ast.AST]:
    for word in ("environ", "getenv", "environb", "putenv"):
        yield from named(file, word)


def outside(places: tuple[str, ...]) -> list[str]:
    return [file for file in FILES if not within(file, places)]


def test_there_is_a_house_to_look_at() -> None:
    assert len(FILES) > 30


@pytest.mark.parametrize("file", [file for file in FILES if within(file, ("opsbot/core",))])
def test_the_core_imports_the_standard_library_and_itself(file: str) -> None:
    allowed = {"opsbot.core", *sys.stdlib_module_names}
    wrong = [
        f"{file}:{line} imports {name}"
        for name, line in imported(file)
        if name.split(".")[0] not in allowed and ".".join(name.split(".")[:2]) not in allowed
    ]
    assert wrong == []


Find = Callable[[str], Iterator[ast.AST]]
RULES: dict[str, tuple[tuple[str, ...], Find]] = {
    "only the mask makes masked text": (MAKERS_OF_MASKED_TEXT, partial(called, name="MaskedText")),
    "only the store takes text for masked": (TAKERS_OF_KEPT_TEXT, takes_kept),
    "only the executor names the cluster writer": (NAMERS_OF_THE_WRITER, partial(named, word="ClusterWriter")),
    "only config reads the environment": (READERS_OF_THE_ENVIRONMENT, environment_reads),
    "only app reads the clock": (READERS_OF_THE_CLOCK, clock_reads),
    "errors of any kind are caught at the seams only": (CATCH_ALL, catches_all),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_right_stays_with_those_who_have_it(rule: str) -> None:
    places, find = RULES[rule]
    assert [line for file in outside(places) for line in lines(file, find(file))] == []


@pytest.mark.parametrize("rule", RULES)
def test_who_has_a_right_uses_it(rule: str) -> None:
    """A name on a list that nobody needs is a hole; a search that finds nothing anywhere is no search."""
    places, find = RULES[rule]
    used = [place for place in places if any(list(find(file)) for file in FILES if within(file, (place,)))]
    assert used == list(places)


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [file for file in FILES for part in Path(file).with_suffix("").parts if EMPTY_NAMES.fullmatch(part)] == []


def test_no_class_has_a_name_that_says_nothing() -> None:
    classes = [(file, node.name) for file in FILES for node in nodes(file) if isinstance(node, ast.ClassDef)]
    assert [found for found in classes if EMPTY_CLASSES.fullmatch(found[1])] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [file for file in FILES if not ast.get_docstring(tree(file))] == []


def test_tests_use_fakes_that_behave() -> None:
    tests = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py"))
    mocks = [f"{file}:{line}" for file in tests for name, line in imported(file) if name.startswith("unittest")]
    assert mocks == []
