"""Figures as Prometheus reads them: families in, text out (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]
_ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name, `counter`, `gauge` or `histogram`, a sentence, and samples (suffix, labels, value)."""

    name: str
    kind: str
    says: str
    samples: Sequence[tuple[str, Labels, float]]


def family(name: str, kind: str, says: str, values: Mapping[Labels, float] | float) -> Family:
    """A counter or gauge: of one value, or of one for each set of labels."""
    found = values if isinstance(values, Mapping) else {(): values}
    return Family(name, kind, says, [("", labels, value) for labels, value in sorted(found.items())])


def text(families: Iterable[Family]) -> str:
    """All families as one text."""
    return "".join(f"{line}\n" for one in families for line in _lines(one))


def _lines(one: Family) -> Iterator[str]:
    yield f"# HELP {one.name} {one.says}"
    yield f"# TYPE {one.name} {one.kind}"
    for suffix, labels, value in one.samples:
        inner = ",".join(f'{name}="{word.translate(_ESCAPED)}"' for name, word in labels)
        yield f"{one.name}{suffix}{{{inner}}} {_spelt(value)}" if inner else f"{one.name}{suffix} {_spelt(value)}"


def _spelt(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


class Count:
    """A counter by labels. Threads may share it."""

    def __init__(self, name: str, says: str) -> None:
        self._name, self._says = name, says
        self._values: Counter[Labels] = Counter()
        self._lock = threading.Lock()

    def add(self, count: float = 1, **labels: str) -> None:
        """So many more."""
        with self._lock:
            self._values[tuple(sorted(labels.items()))] += count  # type: ignore[assignment]  # a Counter adds floats too

    def family(self) -> Family:
        """What has been counted."""
        with self._lock:
            return family(self._name, "counter", self._says, dict(self._values))


class Times:
    """A histogram of seconds by labels. Threads may share it."""

    def __init__(self, name: str, says: str, bounds: Sequence[float]) -> None:
        self._name, self._says, self._bounds = name, says, tuple(bounds)
        self._seen: dict[Labels, tuple[list[int], float]] = {}
        self._lock = threading.Lock()

    def add(self, seconds: float, **labels: str) -> None:
        """One more that took so long."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            counts, total = self._seen.get(key, ([0] * (len(self._bounds) + 1), 0.0))
            counts[bisect_left(self._bounds, seconds)] += 1
            self._seen[key] = (counts, total + seconds)

    def family(self) -> Family:
        """What has been seen, cumulative as Prometheus wants it."""
        with self._lock:
            seen = {key: (list(counts), total) for key, (counts, total) in sorted(self._seen.items())}
        samples: list[tuple[str, Labels, float]] = []
        for key, (counts, total) in seen.items():
            below = 0
            for bound, count in zip((*self._bounds, math.inf), counts, strict=True):
                below += count
                samples.append(("_bucket", (*key, ("le", _spelt(bound))), below))
            samples += [("_sum", key, total), ("_count", key, below)]
        return Family(self._name, "histogram", self._says, samples)
