"""Values as texts: what would not come back the same is refused, and what was read lately is not read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.errors import PermanentError
from opsbot.core.evidence import MaskedText
from opsbot.mask import mask
from opsbot.store import codec

NOW = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)
UP = Alert(
    "r", "slow", "a", "critical", {"n": "a"}, AlertState.FIRING, NOW, annotations={"summary": mask("p95 is high")}
)


class Counting(codec.RememberingCodec[Alert]):
    """Counts what was really kept anew."""

    kept = 0

    def _keep(self, text: str, value: Alert) -> None:
        self.kept += 1
        super()._keep(text, value)


@pytest.mark.parametrize("kind", [codec.Codec, codec.RememberingCodec], ids=["plain", "remembering"])
def test_an_alert_comes_back_with_its_types(kind: Any) -> None:
    there = codec.Codec[Alert](Alert) if kind is codec.Codec else codec.RememberingCodec[Alert](Alert, 10_000)
    for _ in range(2):
        again = there.decode(there.encode(UP))
        assert again == UP
        assert isinstance(again.annotations["summary"], MaskedText)
        assert again.active_at.tzinfo is not None


@pytest.mark.parametrize(
    "odd",
    [{"active_at": NOW.astimezone(timezone(timedelta(hours=5)))}, {"value": 1}, {"value": -0.0}],
    ids=["another zone", "a whole number", "less than nothing"],
)
def test_what_means_the_same_is_kept(odd: dict[str, Any]) -> None:
    strange = replace(UP, **odd)
    assert codec.ALERT.decode(codec.ALERT.encode(strange)) == strange


@pytest.mark.parametrize(
    "wrong",
    [{"value": float("nan")}, {"value": float("inf")}, {"labels": {"n": b"a"}}, {"labels": {"n": {"a"}}},
     {"labels": {"n": "\ud800"}}, {"state": "dancing"}, {"active_at": "soon"}],
    ids=["nan", "inf", "bytes", "set", "half a sign", "no state", "no time"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_what_would_come_back_as_another_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="cannot be"):
        codec.ALERT.encode(replace(UP, **wrong))


def test_a_text_that_was_read_lately_is_not_read_again() -> None:
    there = Counting(Alert, 10_000)
    text = there.encode(UP)
    assert there.decode(str(text.encode(), "utf-8")) is there.decode(text)
    assert there.kept == 1


def test_what_is_read_again_and_again_outlives_what_is_not() -> None:
    texts = [codec.ALERT.encode(replace(UP, fingerprint=f"a{n:03d}")) for n in range(200)]
    there = Counting(Alert, 10 * 1024)
    first = there.decode(texts[0])
    for text in texts[1:]:
        there.decode(text)
        assert there.decode(texts[0]) is first
        assert sum(len(text) for text in (*there._known, *there._before)) < 2 * 10 * 1024
    assert there.decode(texts[1]) == replace(UP, fingerprint="a001")


@pytest.mark.parametrize("text", ["", "{}", "[1]", "{", b"{}", 7, None], ids=repr)
def test_what_is_no_value_is_refused_each_time(text: Any) -> None:
    for _ in range(2):
        with pytest.raises(PermanentError, match="cannot be read back"):
            codec.ALERT.decode(text)
