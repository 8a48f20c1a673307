"""Masked text stays masked, and nobody makes it by reading JSON."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from opsbot.core.evidence import Evidence, Gap, MaskedText, Picture
from opsbot.mask import kept, mask
from tests.core.conftest import NOW, TARGET


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n", [""]), ("a\n\n", ["a", ""]),
     ("a\rb\x0cc\x85d\u2028e\r\n", ["a\rb\x0cc\x85d\u2028e\r"])],
    ids=ascii,
)  # fmt: skip
def test_a_line_ends_at_a_newline_and_nowhere_else(text: str, lines: list[str]) -> None:
    found = mask(text).lines()
    assert found == lines
    assert all(type(line) is MaskedText for line in found)


@pytest.mark.parametrize(
    ("length", "cut"), [(10, "abcdef"), (6, "abcdef"), (5, "abcd…"), (2, "a…"), (1, "…"), (0, "…")], ids=str
)
def test_a_cut_shows(length: int, cut: str) -> None:
    found = mask("abcdef").cut(length)
    assert found == cut
    assert type(found) is MaskedText


@pytest.mark.parametrize(
    "made", [mask("ab").upper(), mask("a") + "b", mask("ab")[:1], mask("a b").split()[0]], ids=repr
)
def test_what_str_makes_of_it_is_no_masked_text(made: str) -> None:
    assert type(made) is str


READER: TypeAdapter[Gap] = TypeAdapter(Gap)


def test_the_store_reads_back_what_was_masked() -> None:
    gap = Gap("pods", mask("403"))
    written = READER.dump_json(gap)
    read = READER.validate_json(written, context={"kept": kept})
    assert read == gap
    assert type(read.why) is MaskedText


@pytest.mark.parametrize("context", [None, {}, {"other": 1}], ids=str)
def test_nobody_else_reads_masked_text(context: Mapping[str, Any] | None) -> None:
    with pytest.raises(ValidationError, match="by the store alone"):
        READER.validate_python({"source": "pods", "why": "password=hunter2"}, context=context)


def test_masked_text_given_as_such_passes() -> None:
    assert READER.validate_python({"source": "pods", "why": mask("403")}).why == "403"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError):
        READER.validate_python({"source": "pods", "why": 7}, context={"kept": kept})


def test_a_picture_gives_the_evidence_of_a_source_in_order() -> None:
    taken = tuple(
        Evidence(f"e{n}", source, TARGET, NOW, mask("x"), mask("y")) for n, source in enumerate(["a", "b", "a"])
    )
    picture = Picture(TARGET, NOW, taken)
    assert [one.id for one in picture.of("a")] == ["e0", "e2"]
    assert picture.of("c") == ()
