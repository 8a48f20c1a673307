"""Rules asked one by one: how each ended in, what that says of the rules and of the server out. Asks nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from opsbot.core.alert import Answer
from opsbot.core.errors import Blind, PermanentError
from opsbot.monitor.polling.blindness import kind

MANY = 8
"""Rules asked alone after which the others need not be asked, if all of these failed alike."""

Failure = Blind | PermanentError
Outcome = Answer | Failure


class Row:
    """The rules of one row, by id. Threads may share it.

    Where at least `alike` of them fail alike it is the server that fails. `said` is known of all before any is asked.
    """

    def __init__(self, names: Iterable[str], alike: int, said: Blind | None = None) -> None:
        self.names, self._alike, self._said = list(names), alike, said
        self._answered: list[str] = []
        self._slow: list[str] = []
        self._failed: dict[str, dict[str, Failure]] = {}

    def note(self, name: str, got: Outcome, slow: bool) -> None:
        """What came of one that was asked, and whether it took too long."""
        if isinstance(got, Answer):
            self._answered.append(name)
        if slow:
            self._slow.append(name)
        elif not isinstance(got, Answer):
            self._failed.setdefault(kind(got), {})[name] = got

    def said(self) -> Blind | None:
        """What holds for the others too; None while they are worth asking. A refusal holds for one expression only."""
        if self._said or self._answered:
            return self._said
        many = (error for names in list(self._failed.values()) if len(names) >= MANY for error in names.values())
        return next((error for error in many if isinstance(error, Blind)), None)

    def left_out(self) -> set[str]:
        """Those that were not asked."""
        return set(self.names).difference(self._answered, self._slow, *self._failed.values())

    def all_answered(self) -> bool:
        """Whether each can be answered."""
        return len(self._answered) == len(self.names)

    def together(self) -> set[str]:
        """Those that failed as many others did, or that were not asked because of those."""
        shared = {name for names in self._failed.values() if len(names) >= self._alike for name in names}
        return shared | (self.left_out() if self.said() else set())

    def apart(self) -> set[str]:
        """Those that took too long, or failed in a way of their own."""
        return set(self._slow).union(*self._failed.values()) - self.together()
