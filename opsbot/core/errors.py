"""Every error that opsbot raises on purpose.

OpsbotError
├── ConfigError(problems)        a file or setting is wrong; all its problems at once
├── TemporaryError(retry_after)  not done, and worth another try later
├── PermanentError               not done, and no retry will help
│   └── Refused(reason)          something with the right to say no said no
├── Conflict                     somebody changed it first: read again, then decide again
├── Blind                        a read failed, was cut or is stale: nothing may be concluded from it
└── Unknown                      a write that nobody confirmed: it may or may not have happened
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place of a file; line and column count from 1, and 0 means the file as a whole.

    `excerpt` shows the place inside a value: its line, and one with a caret.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    rule: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.message}{hint}"


class OpsbotError(Exception):
    """The root: whoever catches this catches all that opsbot raises on purpose."""


class ConfigError(OpsbotError):
    """Files or settings that cannot be used; `problems` holds every fault found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class TemporaryError(OpsbotError):
    """Not done; try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(OpsbotError):
    """Not done, and the same call will not succeed later either."""


class Refused(PermanentError):
    """Refused by name: `reason` is a short snake_case word that reports and tests can rely on."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class Conflict(OpsbotError):
    """The thing has changed since it was read."""


class Blind(OpsbotError):
    """The outside world could not be read, or not wholly: the opposite of an empty answer."""


class Unknown(OpsbotError):
    """A write was sent and no answer came: look before doing anything else."""
