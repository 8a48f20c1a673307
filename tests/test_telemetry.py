"""Log lines: one record, one masked line."""

import io
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from opsbot.telemetry import MaskedLine, logger, start


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root, own = logging.getLogger(), logging.getLogger("opsbot")
    level = own.level
    handler = start(stream=stream)
    yield stream
    root.removeHandler(handler)
    own.setLevel(level)
    logging.captureWarnings(False)


def said(stream: io.StringIO) -> list[str]:
    """The lines without their time, which is checked to be one."""
    found = []
    for line in stream.getvalue().splitlines():
        at, _, rest = line.partition(" ")
        assert datetime.fromisoformat(at).utcoffset() is not None
        found.append(rest)
    return found


def test_a_record_is_one_line_with_level_name_and_fields(lines: io.StringIO) -> None:
    fields = {"incident": 7, "why": "no answer", "ok": True, "none": None}
    logger("monitor").info("rule %s is blind", "latency", extra={"fields": fields})
    assert said(lines) == ['INFO opsbot.monitor rule latency is blind incident=7 why="no answer" ok=True none=null']


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        pytest.param("password=hunter2", (), "password=***", id="in the message"),
        pytest.param("using %s", ("postgres://u:hunter2@db/x",), "using postgres://u:***@db/x", id="in an argument"),
        pytest.param("password=%s", ("hunter2",), "password=***", id="across message and argument"),
    ],
)
def test_a_secret_never_gets_out(lines: io.StringIO, message: str, arguments: tuple[str, ...], shown: str) -> None:
    logger("x").warning(message, *arguments)
    assert said(lines) == [f"WARNING opsbot.x {shown}"]


def test_fields_are_masked_by_their_names_and_in_their_texts(lines: io.StringIO) -> None:
    fields = {"token": "hunter2-Zx9", "header": {"authorization": "Bearer hunter2-Zx9"}, "says": "it was hunter2-Zx9"}
    logger("x").info("sent", extra={"fields": fields})
    (line,) = said(lines)
    assert "hunter2" not in line
    assert "token=*** " in line


def test_what_a_field_gives_away_is_masked_in_the_message_too(lines: io.StringIO) -> None:
    logger("x").info("login with hunter2-Zx9 failed", extra={"fields": {"password": "hunter2-Zx9"}})
    assert said(lines) == ["INFO opsbot.x login with *** failed password=***"]


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "\x1b[31mred", "\u202eabc", "a\x00b", "a\u2028b", "\ud800"], ids=ascii
)
def test_nothing_breaks_a_line_or_steers_a_terminal(lines: io.StringIO, text: str) -> None:
    logger("x").info(text, extra={"fields": {"f": text}})
    out = lines.getvalue()
    assert out.endswith("\n")
    assert out[:-1].isprintable()


def test_an_exception_is_a_field_of_the_same_line(lines: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("password=hunter2")

    try:
        fail()
    except ValueError:
        logger("x").exception("failed")
    (line,) = said(lines)
    assert line.startswith("ERROR opsbot.x failed error=")
    assert "ValueError: password=***" in line
    assert "hunter2" not in line


def test_libraries_are_masked_too_and_heard_from_warning_on(lines: io.StringIO) -> None:
    logging.getLogger("urllib3.pool").warning("retry https://u:hunter2@host/")
    logging.getLogger("urllib3.pool").info("quiet")
    assert said(lines) == ["WARNING urllib3.pool retry https://u:***@host/"]


def test_starting_again_replaces_what_was_set_up(lines: io.StringIO) -> None:
    other = io.StringIO()
    handler = start("DEBUG", other)
    logger("x").debug("once")
    assert lines.getvalue() == ""
    assert said(other) == ["DEBUG opsbot.x once"]
    logging.getLogger().removeHandler(handler)


def test_an_unknown_level_is_refused(lines: io.StringIO) -> None:
    with pytest.raises(ValueError, match="LOUD"):
        start("LOUD")


def test_arguments_that_do_not_fit_are_shown_beside_the_message() -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "count %d", ("many",), None)
    assert MaskedLine().format(record).endswith(" INFO n count %d ('many',)")


def test_fields_that_are_no_mapping_are_left_out() -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "m", None, None)
    record.fields = ["x"]
    assert MaskedLine().format(record).endswith(" INFO n m")
