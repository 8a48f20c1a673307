"""What `serve` prints of a new incident."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsbot.cli.serve import _News
from opsbot.core.incident import Incident, State
from opsbot.core.target import Target
from opsbot.mask import mask

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "cluster", "ends"),
    [
        ("Slow", "", ": Slow on Pod/x -n a"),
        ("Slow", "elsewhere", ": Slow on Pod/x -n a in cluster elsewhere"),
        ("Slow: Pod/x -n a", "elsewhere", ": Slow: Pod/x -n a in cluster elsewhere"),
        ("Slow: Pod/x -n a", "", ": Slow: Pod/x -n a"),
    ],
    ids=["no cluster", "a cluster", "a title that names the target", "a whole title"],
)
def test_a_new_incident_says_where(title: str, cluster: str, ends: str) -> None:
    target = Target("a", "Pod", "x", cluster)
    incident = Incident(3, target.key, 0, State.OPEN, "critical", mask(title), NOW, NOW, target, reason="open")
    news = _News()
    (line,) = news.of(incident)
    assert line.plain.endswith(f"incident 3 open{ends}")
    assert list(news.of(incident)) == []
