"""Secrets of the door."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsbot.chat import tokens
from opsbot.core.errors import PermanentError

SECRET = "xoxb-1-2-abc"


def test_a_token_is_read_and_shown_by_nobody(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    found = tokens.read(file, "bot_token_file", "xoxb-")
    assert found.reveal() == SECRET
    for shown in (repr(found), str(found), f"{found}", "%s" % found, repr([found]), str({"a": found})):  # noqa: UP031
        assert SECRET not in shown
        assert "<secret>" in shown


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no secret"),
        (b"xoxb-1\nxoxb-2", "holds no secret on one line"),
        (b"xoxb 1", "holds no secret on one line"),
        (b"xapp-1", "does not begin with xoxb-"),
        (b"\xff\xfe", "cannot be read"),
        (None, "cannot be read: FileNotFoundError"),
    ],
    ids=["empty", "two lines", "a blank", "the other one", "no text", "no file"],
)
def test_what_is_no_token_is_refused_without_showing_it(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PermanentError) as error:
        tokens.read(file, "bot_token_file", "xoxb-")
    assert says in str(error.value)
    assert str(file) in str(error.value)
    assert "xapp-1" not in str(error.value)


def test_a_token_that_is_not_named() -> None:
    with pytest.raises(PermanentError, match="app_token_file is not given"):
        tokens.read(None, "app_token_file")
