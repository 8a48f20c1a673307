"""The token: who is let in, also when the file changes, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError
from opsbot.web.bearer import Bearer

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "token"
    made.write_text(TOKEN)
    return made


def test_without_a_file_everybody_is_let_in() -> None:
    assert Bearer(None).admits("")


def test_the_token_of_the_file_is_let_in_and_no_other(file: Path) -> None:
    bearer = Bearer(file)
    assert bearer.admits(f"Bearer {TOKEN}")
    assert not bearer.admits("Bearer another-token-altogether")


def test_a_changed_file_counts_at_once(file: Path) -> None:
    bearer = Bearer(file)
    file.write_text("another-token-altogether")
    assert bearer.admits("Bearer another-token-altogether")
    assert not bearer.admits(f"Bearer {TOKEN}")


def test_a_mounted_secret_is_a_link_that_changes(file: Path, tmp_path: Path) -> None:
    link, new = tmp_path / "link", tmp_path / "new"
    link.symlink_to(file)
    bearer = Bearer(link)
    new.write_text("another-token-altogether")
    link.unlink()
    link.symlink_to(new)
    assert bearer.admits("Bearer another-token-altogether")


@pytest.mark.parametrize("spoil", ["gone", "empty", "two lines"])
def test_a_spoilt_file_lets_nobody_in_until_it_is_repaired(
    file: Path, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    bearer = Bearer(file)
    file.unlink()
    if spoil != "gone":
        file.write_text("" if spoil == "empty" else "secret-one\nsecret-two")
    assert not bearer.admits(f"Bearer {TOKEN}")
    assert not bearer.admits("Bearer ")
    assert not bearer.admits("Bearer")
    assert "nobody is let in" in caplog.text
    assert "secret-one" not in caplog.text
    file.write_text(TOKEN * 2)
    assert bearer.admits(f"Bearer {TOKEN * 2}")


@pytest.mark.parametrize(
    "text", ["", "short", "two words here", "ä" * 20, "x" * 5000], ids=["empty", "short", "blanks", "odd", "long"]
)
def test_a_bad_file_at_the_start_is_told_and_not_shown(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(PermanentError, match=r"web\.token_file: .*token") as caught:
        Bearer(file)
    assert not text or text not in str(caught.value)


def test_the_refusal_of_a_token_names_blanks(file: Path) -> None:
    file.write_text("two words here")
    with pytest.raises(PermanentError, match="one line of 8 to 4,096 ASCII characters, none of them a blank"):
        Bearer(file)


def test_a_missing_file_at_the_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be read: FileNotFoundError"):
        Bearer(tmp_path / "none")
