"""What may reach a screen."""

import pytest
import regex

from opsbot.core.escape import bare, visible

ALL = "".join(map(chr, range(0x110000)))
IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, tab\tand ümlaut 漢字 🎉", "plain text, tab\tand ümlaut 漢字 🎉"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb", "a\\rb"),
        ("\x9b2J", "\\x9b2J"),
        ("admin\u202etxt.exe", "admin\\u202etxt.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\x00", "\\x00"),
        ("half\ud800", "half\\ud800"),
    ],
    ids=["ordinary", "colour", "title", "carriage return", "C1", "bidi", "zero width", "tag", "NUL", "half a pair"],
)
def test_control_sequences_are_shown_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_whatever_shows_nothing_is_written_out() -> None:
    """The property as the regex package has it, over all code points: no list of samples."""
    left = IGNORABLE.findall(visible(ALL))
    assert (len(IGNORABLE.findall(ALL)) > 4000, left) == (True, [])
    assert bare(ALL) == IGNORABLE.sub("", ALL)


def test_what_is_obeyed_is_written_out_and_nothing_that_is_seen() -> None:
    obeyed = regex.compile(r"[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}--[\n\t]]", flags=regex.V1)
    assert obeyed.findall(visible(ALL)) == []
    seen = regex.sub(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]", "", ALL)
    assert visible(seen) == seen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\ufe0fb", "a\\ufe0fb"), ("a\U000e0100b", "a\\U000e0100b"), ("a\u3164b", "a\\u3164b"),
        ("soft\u00adhyphen", "soft\\xadhyphen"), ("half\uffa0wide", "half\\uffa0wide"),
    ],
    ids=["variation", "ideographic variation", "Hangul filler", "soft hyphen", "half-width filler"],
)  # fmt: skip
def test_it_is_written_as_its_escape(text: str, shown: str) -> None:
    assert visible(text) == shown
