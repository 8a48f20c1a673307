"""Silences: what a person asks for in, a silence or a named refusal out; and how a silence stands.

Nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from opsbot.core.alert import Alert, AlertState
from opsbot.core.duration import spell
from opsbot.core.errors import Refused
from opsbot.core.silence import Matcher, Silence
from opsbot.matchers import everything, table

LONGEST = timedelta(days=90)
FURTHEST = timedelta(days=365)
COMMENT = 1000


def silence(
    matchers: Sequence[Matcher], author: str, comment: str, now: datetime, begins: datetime, lasting: timedelta
) -> Silence:
    """A silence from `begins` (from now, where that is past) until `lasting` after it; its id is the store's affair.

    Refused names what is wrong: no_matchers, too_wide, no_comment, too_long, too_far, over.
    """
    narrow(matchers)
    if not comment.strip():
        raise Refused("no_comment", "a silence needs a comment: --comment 'why, for those who wonder'")
    if len(comment) > COMMENT:
        raise Refused("too_long", f"the comment has {len(comment)} characters: at most {COMMENT}")
    if not timedelta() < lasting <= LONGEST:
        longest = f"at most {spell(LONGEST)}; what is quiet for longer is for the rule itself"
        raise Refused(
            "too_long" if lasting > LONGEST else "over", f"--for {spell(lasting)}: write more than 0s, {longest}"
        )
    if begins > now + FURTHEST:
        raise Refused("too_far", f"it would begin more than {spell(FURTHEST)} from now")
    if begins + lasting <= now:
        raise Refused("over", "it would have ended already: look at --from and --for")
    return Silence(0, tuple(matchers), author, comment.strip(), now, max(begins, now), begins + lasting)


def narrow(matchers: Sequence[Matcher]) -> None:
    """Refused where there is no matcher, or where they all match labels that are not there."""
    if not matchers:
        raise Refused("no_matchers", "which alerts? for example: alertname=HighLatency namespace=~'shop-.*'")
    if everything(tuple(matchers)):
        hint = "add one that needs a value, such as alertname=HighLatency"
        raise Refused("too_wide", f"these matchers also match alerts without any of these labels; {hint}")


def state(silence: Silence, now: datetime) -> str:
    """pending, active or expired, in the words of Alertmanager."""
    if now >= silence.ends_at:
        return "expired"
    return "active" if silence.starts_at <= now else "pending"


def hidden(matchers: Sequence[Matcher], alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts that fire and match."""
    asked = table((tuple(matchers),))
    return [alert for alert in alerts if alert.state is AlertState.FIRING and asked.matching(alert.labels)]


def overlapping(silence: Silence, others: Iterable[Silence]) -> list[Silence]:
    """Those with the same matchers that hold at some time of it."""
    same = frozenset(silence.matchers)
    return [
        other for other in others
        if other.id != silence.id and frozenset(other.matchers) == same
        and other.starts_at < silence.ends_at and silence.starts_at < other.ends_at
    ]  # fmt: skip
