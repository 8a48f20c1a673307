"""The hash chain: whatever is done to it afterwards shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.audit import START, AuditEntry, broken, sealed

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def chain(length: int = 4) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for seq in range(1, length + 1):
        previous = entries[-1].digest if entries else START
        entry = AuditEntry(
            7, seq, NOW + timedelta(seconds=seq), "ana", "approved", "reason", {"plan": "p1"}, f"record-{seq}", previous
        )
        entries.append(sealed(entry))
    return entries


Tamper = Callable[[list[AuditEntry]], list[AuditEntry]]


def changed(**fields: object) -> Tamper:
    def tamper(entries: list[AuditEntry]) -> list[AuditEntry]:
        return [entries[0], replace(entries[1], **fields), *entries[2:]]  # type: ignore[arg-type]

    return tamper


def rewritten(entries: list[AuditEntry]) -> list[AuditEntry]:
    """A careful forger seals the changed entry again; the next one gives it away."""
    return [entries[0], sealed(replace(entries[1], who="eve")), *entries[2:]]


@pytest.mark.parametrize("length", [0, 1, 4])
def test_a_whole_chain_is_not_broken(length: int) -> None:
    assert broken(chain(length)) == ""


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        pytest.param(changed(who="eve"), "entry 2 was changed", id="who"),
        pytest.param(changed(act="rejected"), "entry 2 was changed", id="act"),
        pytest.param(changed(reason="other"), "entry 2 was changed", id="reason"),
        pytest.param(changed(at=NOW), "entry 2 was changed", id="time"),
        pytest.param(changed(detail={}), "entry 2 was changed", id="detail"),
        pytest.param(changed(record="other"), "entry 2 was changed", id="record"),
        pytest.param(changed(incident=8), "entry 2 was changed", id="incident"),
        pytest.param(changed(digest="0" * 64), "entry 2 was changed", id="digest"),
        pytest.param(changed(previous=START), "entry 2 does not follow", id="previous"),
        pytest.param(changed(seq=5), "entry 2 is missing", id="number"),
        pytest.param(rewritten, "entry 3 does not follow", id="sealed again"),
        pytest.param(lambda entries: entries[1:], "entry 1 is missing", id="first taken out"),
        pytest.param(lambda entries: [entries[0], *entries[2:]], "entry 2 is missing", id="one taken out"),
        pytest.param(lambda entries: [entries[1], entries[0], *entries[2:]], "entry 1 is missing", id="swapped"),
        pytest.param(lambda entries: [*entries, entries[-1]], "entry 5 is missing", id="doubled"),
    ],
)
def test_tampering_shows(tamper: Tamper, says: str) -> None:
    assert broken(tamper(chain())).startswith(says)


def test_the_seal_covers_everything_but_itself() -> None:
    entry = chain(1)[0]
    assert sealed(entry) == entry
    assert sealed(replace(entry, digest="x")) == entry
