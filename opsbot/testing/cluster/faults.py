"""Faults of the wire that a test can order: what goes wrong with the next fitting request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opsbot.testing.cluster.wire import Ending, Failure, Response, status


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a request: it is applied or not, and then answered so.

    With `response` None the true answer is used, and only its `ending` differs.
    """

    applies: bool
    ending: Ending = Ending.WHOLE
    response: Response | None = None

    def bend(self, true: Response | None) -> Response:
        """The answer that goes out."""
        made = self.response or true or Response(500)
        return replace(made, ending=self.ending)


def lost_answer() -> Fault:
    """The request is applied, and the connection breaks before the answer."""
    return Fault(applies=True, ending=Ending.LOST)


def broken_connection() -> Fault:
    """The connection breaks before the request is applied; the client cannot tell this from a lost answer."""
    return Fault(applies=False, ending=Ending.LOST)


def hang(*, applies: bool = False) -> Fault:
    """No answer ever comes; the request may have been applied all the same."""
    return Fault(applies=applies, ending=Ending.HANGS)


def refused() -> Fault:
    """The connection is refused: nothing was sent (over HTTP it is closed without an answer)."""
    return Fault(applies=False, ending=Ending.REFUSED)


def error(code: int, message: str = "", *, retry_after: int | None = None, applies: bool = False) -> Fault:
    """A Status of this code, such as 429 with Retry-After, or a 500 that applied the request all the same."""
    said = message or f"the fake API server was told to answer {code}"
    return Fault(applies, response=status(Failure(code, said, retry_after=retry_after)))


def body(content: bytes, *, code: int = 200, content_type: str = "application/json", applies: bool = False) -> Fault:
    """Any bytes as the answer: HTML of a proxy, half a JSON, too much of it."""
    return Fault(applies, response=Response(code, content, content_type))


@dataclass(slots=True)
class Order:
    """A fault that waits for requests; what is empty fits every request."""

    fault: Fault
    times: int = 1
    methods: tuple[str, ...] = ()
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    def fits(self, method: str, path: str, query: Mapping[str, str]) -> bool:
        """Whether a request is meant."""
        return (
            self.times > 0
            and (not self.methods or method in self.methods)
            and self.path in path
            and all(query.get(key, "") == value for key, value in self.query.items())
        )
