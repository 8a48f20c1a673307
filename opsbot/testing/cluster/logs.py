"""The logs of the fake cluster's containers: lines with times in, bytes as a kubelet would send them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from opsbot.testing.cluster.wire import Failure, Json, invalid

Line = tuple[datetime, bytes]
Lines = str | bytes | Iterable[tuple[datetime, str | bytes]]
Source = Callable[[str, datetime], Lines]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a log is asked for, by the query of pods/log."""

    since: datetime | None = None
    tail: int | None = None
    limit: int | None = None
    times: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str], name: str, now: datetime) -> Wanted:
        """From a query; 400 and 422 for what is no number, no time, or both kinds of since."""
        seconds, at = _number(query, name, "sinceSeconds", 1), query.get("sinceTime")
        if seconds is not None and at:
            what = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
            raise invalid("PodLogOptions", name, [("[]", what)])
        since = now - timedelta(seconds=seconds) if seconds is not None else None
        try:
            since = datetime.fromisoformat(at) if at else since
        except ValueError as error:
            raise Failure(400, f'parsing time "{at}"') from error
        times = query.get("timestamps", "false") in ("true", "1")
        return cls(since, _number(query, name, "tailLines", 0), _number(query, name, "limitBytes", 1), times)


def _number(query: Mapping[str, str], name: str, key: str, least: int) -> int | None:
    if key not in query:
        return None
    try:
        found = int(query[key])
    except ValueError as error:
        raise Failure(400, f'strconv.ParseInt: parsing "{query[key]}": invalid syntax') from error
    if found < least:
        rule = "must be greater than 0" if least else "must be greater than or equal to 0"
        raise invalid("PodLogOptions", name, [(key, f"Invalid value: {found}: {rule}")])
    return found


class Logs:
    """Logs by pod and container; a pod may be a pattern (`web-*`), and the newest fitting entry counts."""

    def __init__(self) -> None:
        self._all: list[tuple[tuple[str, str, str, bool], Source]] = []

    def set(self, namespace: str, pod: str, container: str, previous: bool, source: Source) -> None:
        """Put a log in place of the one before; an empty container means each of the pod's."""
        key = (namespace, pod, container, previous)
        self._all = [item for item in self._all if item[0] != key] + [(key, source)]

    def has_previous(self, meta: Json, container: str) -> bool:
        """Whether a previous log was prepared."""
        return self._source(meta.get("namespace", ""), meta["name"], container, True) is not None

    def _source(self, namespace: str, pod: str, container: str, previous: bool) -> Source | None:
        for key, source in reversed(self._all):
            if (key[0], key[3]) == (namespace, previous) and key[2] in ("", container) and fnmatchcase(pod, key[1]):
                return source
        return None

    def read(self, namespace: str, pod: str, container: str, previous: bool, wanted: Wanted, now: datetime) -> bytes:
        """The bytes: since, then tail, then the limit, which cuts the *newest* off, as a kubelet does."""
        source = self._source(namespace, pod, container, previous)
        lines = list(stamped(source(pod, now), now)) if source else []
        lines = [line for line in lines if line[0] <= now and (wanted.since is None or line[0] >= wanted.since)]
        if wanted.tail is not None:
            lines = lines[max(len(lines) - wanted.tail, 0) :]
        content = b"".join((_nanos(at) + b" " if wanted.times else b"") + line + b"\n" for at, line in lines)
        return content if wanted.limit is None else content[: wanted.limit]


def stamped(lines: Lines, at: datetime) -> Iterable[Line]:
    """Each line with a time: its own, or the one given."""
    if isinstance(lines, str | bytes):
        raw = lines.encode() if isinstance(lines, str) else lines
        parts = raw.split(b"\n")
        return ((at, part) for part in (parts[:-1] if parts[-1] == b"" else parts))
    return ((when, line.encode() if isinstance(line, str) else line) for when, line in lines)


def _nanos(at: datetime) -> bytes:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z").encode()
