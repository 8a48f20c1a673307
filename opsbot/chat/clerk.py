"""What was said in, carried out under the name of who said it, and answered in private.

It holds no right of its own: the person's is checked each time, at the verb and again at the decision. It never raises:
whatever goes wrong becomes an answer and a line in the log, and what was said counts as treated then.
"""

from __future__ import annotations

import importlib
import logging
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from opsbot.chat import card, payload, replies, words
from opsbot.chat.notify import approvers, opinion, origins
from opsbot.chat.port import Chat, Json
from opsbot.commands import Verb, shape, show, verb
from opsbot.commands.desk import Answer, Desk
from opsbot.commands.person import person
from opsbot.commands.sentence import sentence
from opsbot.core.approval import Approval
from opsbot.core.errors import OpsbotError, Refused, TemporaryError
from opsbot.core.incident import Incident, State
from opsbot.core.message import Place, Said
from opsbot.mask import mask

LOG = logging.getLogger("opsbot.chat")
DOOR = "slack"
ATTEMPTS, LONGEST_PAUSE = 3, 5.0
MOST = 1000
"""Open incidents among which a plan that waits is looked for."""


class Clerk:
    """Carries out what people say and click. `wake` is called with the number of an incident that was changed."""

    def __init__(
        self, desk: Callable[[], Desk], chat: Chat, wake: Callable[[int], None],
        pause: Callable[[float], object] = time.sleep,
    ) -> None:  # fmt: skip
        self._desk, self._chat, self._wake, self._pause = desk, chat, wake, pause

    def treat(self, said: Said) -> None:
        """Carry it out, answer, and mark it treated."""
        desk = self._desk()
        answer = self._answer(desk, said)
        if answer is not None:
            self._tell(said, answer)
        desk.store.treated(said.id, desk.now)

    def _answer(self, desk: Desk, said: Said) -> Json | None:
        try:
            match said.what["kind"]:
                case payload.CLICK:
                    return self._clicked(desk, said.what)
                case payload.FORM:
                    return self._filled_in(desk, said.what)
                case _:
                    return self._spoken(desk, said.what)
        except OpsbotError as error:
            return replies.trouble(sentence(error))
        except Exception as error:  # a person is told, and the door stays open for the others
            LOG.error("%s failed: %s", said.id, mask(f"{type(error).__name__}: {error}").cut(300), exc_info=error)
            return replies.trouble("something is wrong in opsbot itself; its log says what. The terminal may still do.")

    def _tell(self, said: Said, answer: Json) -> None:
        """Private answers are not kept: who misses one asks again, and the card shows what came of it."""
        for _ in range(ATTEMPTS):
            try:
                return self._chat.tell(said.what["user"], answer, said.what.get("thread", ""))
            except TemporaryError as error:
                trouble: OpsbotError = error
                self._pause(min(max(error.retry_after, 0.5), LONGEST_PAUSE))
            except OpsbotError as error:
                trouble = error
                break
        LOG.warning("the answer to %s could not be given: %s", said.id, trouble)
        return None

    # words ------------------------------------------------------------------------------------------------------------

    def _spoken(self, desk: Desk, what: Mapping[str, Any]) -> Json:
        row, args = words.parse(what["text"])
        if row.words == "show" and not show.about_alert(desk.record, args.incident):
            return self._shown(desk, row, what, args)
        answer = self._run(desk, row, what["user"], args)
        return replies.reply(row.words, answer.data)

    def _run(self, desk: Desk, row: Verb, user: str, args: Namespace) -> Answer:
        who = person(desk.access, DOOR, user, row.permission)
        run: Callable[[Desk, str, Namespace], Answer] = getattr(importlib.import_module(row.module), row.function)
        answer = run(desk, who, args)
        if "incident" in answer.data:
            self._wake(answer.data["incident"]["id"])
        return answer

    def _shown(self, desk: Desk, row: Verb, what: Mapping[str, Any], args: Namespace) -> Json:
        person(desk.access, DOOR, what["user"], row.permission)
        incident = shape.wanted(desk.record, args.incident)
        said = opinion(desk.record, incident)
        made = card.card(incident, origins(desk.record, incident), approvers(desk.access, incident), said)
        return replies.shown(made, [shape.entry(entry) for entry in desk.record.audit(incident.id)], incident.id)

    # clicks -----------------------------------------------------------------------------------------------------------

    def _clicked(self, desk: Desk, what: Mapping[str, Any]) -> Json | None:
        incident, approval = self._waiting(desk, what)
        person(desk.access, DOOR, what["user"], approval.permission)
        if what["action"] == card.APPROVE:
            return self._decided(desk, what, "approve", incident, approval)
        self._chat.open(what["trigger"], replies.form(approval.id, incident.id, approval.plan[: card.PREFIX]))
        return None

    def _filled_in(self, desk: Desk, what: Mapping[str, Any]) -> Json:
        incident, approval = self._waiting(desk, what)
        return self._decided(desk, what, "reject", incident, approval)

    def _decided(
        self, desk: Desk, what: Mapping[str, Any], words: str, incident: Incident, approval: Approval
    ) -> Json:  # fmt: skip
        """The decision goes the way of the typed verb, bound to the plan that the card showed."""
        row = verb(words)
        assert row is not None
        args = Namespace(incident=incident.id, plan=approval.plan, reason=what.get("reason", ""))
        return replies.reply(words, self._run(desk, row, what["user"], args).data)

    @staticmethod
    def _waiting(desk: Desk, what: Mapping[str, Any]) -> tuple[Incident, Approval]:
        """The incident whose approval this is and waits; Refused("other_plan") for any other id."""
        for incident in desk.store.incidents(unresolved=True, limit=MOST):
            found = incident.approval
            if found and found.id == what["value"] and incident.state is State.AWAITING_APPROVAL:
                return incident, found
        raise Refused("other_plan", f"that plan is not the one that waits{_instead(desk, what)}")


def _instead(desk: Desk, what: Mapping[str, Any]) -> str:
    """What has become of the incident whose card was clicked, where that is known."""
    number = desk.store.incident_at(Place(what["channel"], what["ts"])) if what.get("ts") else None
    incident = desk.store.load(number) if number else None
    if incident is None:
        return "; `incidents` lists those that are open"
    return f": incident {incident.id} is {incident.state.value.replace('_', ' ')}; its card shows what is asked now"
