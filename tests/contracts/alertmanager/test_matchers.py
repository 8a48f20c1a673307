"""Matchers beside the real Alertmanager: the same texts are accepted, and let the same alerts through."""

from __future__ import annotations

import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsbot import matchers
from opsbot.config import cache_folder
from opsbot.core.silence import Matcher
from opsbot.matchers import MatcherError
from tests.contracts.alertmanager import debian, labelled
from tests.contracts.alertmanager.debian import Alertmanager
from tests.contracts.alertmanager.labelled import NAMES, PATTERNS, VALUES

pytestmark = pytest.mark.real("alertmanager")

TEXTS = (
    "a=x", 'a="x"', "a = x", " a = \"x\" ", "a=", 'a=""', "a!=x", "a=~x", "a!~x", 'a=~"x|y"', "a=~x.*",
    "a=~web-[0-9]+", "a==x", "a=!x", "a", "", "=x", "a~x", "a>x", "a=~(", 'a=~"("', "a=~[", "a=~*", 'a="x', 'a=x"',
    'a="x"y', 'a="x""', "a='it's'", "a=it's", 'a="a \\"quoted\\" one"', 'a=a \\"quoted\\" one', 'a="back\\\\slash"',
    'a="back\\slash"', 'a="two\\nlines"', "a=two\\nlines", "a={x}", 'a="{x}"', "{a=x}", "a=a,b", 'a="a,b"', "a=a=b",
    "1a=x", "a-b=x", "a.b=x", "_x=x", ":a=x", "\u00e4=x", 'a="\u00e4\u00f6 \U0001f525"', "a=\u00e4\u00f6 \U0001f525",
    "a=~(?i)x", "a=~(?=x)", "a=~(x)\\1", "a=~x{1001}", "a=~x{1000}", "a=~\\pL+", "a=~\\C", "a=~(?P<n>x)", "a=~\\d",
    'a=~"\\\\d"', 'a=~"web-\\d+"', "a =~ x", "a= ~x", "a=x,b=y", "a=x,", "a=\tx", "a\n=\nx", "a=\\", 'a="\\"',
    'a="\\\\"', "a=~^x$", "a=~\\bx", "a=~\\ba.*", "a=~(?s).*", "a=~.*", "a=~", "a!~", "a!=", "severity!=critical",
    "nosuch=", "nosuch!=x", "nosuch=~.*", "nosuch=~.+", "nosuch!~.+", "a=~\\z", "a=~\\Z", "a=~(?<n>x)",
    "a=~[[:alpha:]]+", "a=~\\Qx\\E", "a=~(?U)x+", "a=~x++", "a=~x**",
)  # fmt: skip

NEWER = frozenset({"\u00e4=x", "1a=x", "a-b=x", "a.b=x"})
"""Names that Alertmanager reads since 0.27, and opsbot with it; this one is older."""

OTHERS = frozenset({
    "a=~(?<n>x)",  # a spelling of groups that Go reads since 1.22; this Alertmanager was made with an older one
    "a=~\\C",  # a single byte: the RE2 of C++ knows it, that of Go does not
    "a=~x{1000}",  # within the bounds of Go, beyond the memory that we give a pattern
    "a={x}",  # not quoted: Alertmanager 0.27 and later warn of it
})  # fmt: skip
"""Where opsbot is known to say something else of one matcher."""

LENIENT = frozenset({'{a="x"} ', ' {a="x"}'})
"""Lists with blanks around the braces, which Alertmanager takes since 0.27."""


def pool() -> list[dict[str, str]]:
    """Alerts that have every value in every label, and one that has none."""
    return [{"n": f"{name}{place}", name: value} for name in NAMES for place, value in enumerate(VALUES)]


@pytest.fixture
def filled(alertmanager: Alertmanager) -> Alertmanager:
    alertmanager.post_alerts([labelled.posted(labels, datetime.now(UTC)) for labels in pool()])
    return alertmanager


def theirs(filled: Alertmanager, text: str) -> set[str] | None:
    found = filled.filtered(text)
    return None if found is None else {one["labels"]["n"] for one in found}


def ours(text: str) -> set[str] | None:
    try:
        asked = matchers.table((((matchers.parse_one(text)),),))
    except MatcherError:
        return None
    kept = [labelled.alert(labels).labels for labels in pool()]
    return {labels["n"] for labels in kept if asked.matching(labels)}


def test_the_same_texts_are_matchers_and_match_the_same(filled: Alertmanager) -> None:
    read = {text: (ours(text), theirs(filled, text)) for text in TEXTS if text not in NEWER | OTHERS}
    assert {text: both for text, both in read.items() if both[0] != both[1]} == {}
    assert sum(both[0] is None for both in read.values()) > 10


@pytest.mark.parametrize("seed", range(3))
def test_matchers_by_chance_match_the_same(filled: Alertmanager, seed: int) -> None:
    chance = random.Random(seed)
    found: list[Matcher] = [one for _ in range(40) for one in labelled.matchers(chance)]
    read = {(text := matchers.spell(one)): (ours(text), theirs(filled, text)) for one in found}
    assert {text: both for text, both in read.items() if both[0] != both[1] or both[0] is None} == {}


@pytest.mark.parametrize("text", sorted(NEWER))
def test_names_that_only_a_newer_one_reads(filled: Alertmanager, text: str) -> None:
    assert theirs(filled, text) is None
    assert ours(text) is not None


LISTS = (
    '{a="x"}', '{a="x",b=~"y"}', 'a="x",b="y"', '{a="x",}', "{}", "", "{a=x", "a=x}", '{a="x" b="y"}',
    '{a="x",,b="y"}', '{a="a,b"}', "{a=a,b=b}", '{a="{x}"}', '{a="x\\",b=y"}', "{{a=x}}", '{a="x"} ', ' {a="x"}',
    '{a=~"("}', "{a}", "{a=x;b=y}", '{ a = "x" , b = "y" }',
)  # fmt: skip


def test_the_same_lists_stand_in_a_config(alertmanager_program: Path, tmp_path: Path) -> None:
    """`matchers` of an inhibition, as amtool judges it; an empty list has no text to be in."""
    judged = {}
    for number, text in enumerate(LISTS):
        quoted = "'" + text.replace("'", "''") + "'"
        path = tmp_path / f"{number}.yml"
        path.write_text(
            "route: {receiver: n}\nreceivers: [{name: n}]\n"
            f"inhibit_rules:\n- source_matchers: [{quoted}]\n  target_matchers: ['b=y']\n"
        )
        order = [str(debian.amtool(cache_folder())), "check-config", str(path)]
        judged[text] = subprocess.run(order, capture_output=True, timeout=30, check=False).returncode == 0
    assert {text: good for text, good in judged.items() if good != is_list(text) and text not in LENIENT} == {}


def is_list(text: str) -> bool:
    try:
        matchers.parse(text)
    except MatcherError:
        return False
    return True


def test_every_pattern_is_good() -> None:
    """So that what is made by chance says something."""
    assert all(ours(f"a=~{pattern}") is not None for pattern in PATTERNS)
