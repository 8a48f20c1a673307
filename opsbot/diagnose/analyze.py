"""Whether a model is to be asked, and what its answer is worth. Pure but for the model, which is passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opsbot.core.alert import Alert
from opsbot.core.diagnosis import Finding, Hypothesis
from opsbot.core.errors import Blind, Refused
from opsbot.core.evidence import MaskedText
from opsbot.core.faults import SYMPTOMS
from opsbot.core.ports import Model
from opsbot.diagnose.answer import Checked, check
from opsbot.diagnose.case import Case
from opsbot.diagnose.prompt import question
from opsbot.mask import mask


@dataclass(frozen=True, slots=True)
class Opinion:
    """What came of asking a model.

    `reason` is one of answered, nothing_to_add, nothing_usable, no_answer, over_budget, budget_unreadable, no_evidence.
    """

    reason: str
    hypotheses: tuple[Hypothesis, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    why: MaskedText | None = None
    tokens: int = 0


def needed(findings: Sequence[Finding], alerts: Sequence[Alert] = (), always: bool = False) -> bool:
    """Whether the rules leave a question open: no cause where something is wrong, or none that explains all of it."""
    if always:
        return True
    causes = [finding for finding in findings if finding.cause]
    symptoms = [finding for finding in findings if finding.fault in SYMPTOMS]
    if not causes:
        return bool(findings or alerts)
    return not any(all(_accounts(cause, symptom, findings) for symptom in symptoms) for cause in causes)


def _accounts(cause: Finding, symptom: Finding, findings: Sequence[Finding]) -> bool:
    """Whether a cause explains a symptom, itself or over findings between the two."""
    by_rule = {finding.rule: finding for finding in findings}
    at: Finding | None = symptom
    for _ in findings:
        if at is None or at.rule == cause.rule or at.fault in cause.explains:
            break
        at = by_rule.get(at.explained_by or "")
    return at is not None and (at.rule == cause.rule or at.fault in cause.explains)


def ask(model: Model, case: Case, tokens: int, timeout: float = 60.0) -> Opinion:
    """The model's opinion of a case; whatever goes wrong is one too."""
    if not case.evidence:
        return Opinion("no_evidence", why=mask("there is no evidence to quote from"))
    try:
        reply = model.ask(question(case, tokens, timeout), timeout)
    except Refused as error:
        return Opinion(error.reason, why=mask(str(error)).cut(300))
    except Blind as error:
        return Opinion("no_answer", why=mask(str(error)).cut(300))
    checked = check(reply.text, case)
    used = reply.prompt_tokens + reply.completion_tokens
    return Opinion(_reason(checked), checked.hypotheses, checked.dropped, tokens=used)


def _reason(checked: Checked) -> str:
    if checked.hypotheses:
        return "answered"
    return "nothing_usable" if checked.dropped else "nothing_to_add"
