"""What may reach a screen."""

import pytest

from opsbot.core.escape import visible


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
