"""Slack's limits by construction, and text of outside that stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from opsbot.chat import blocks, notes, replies
from opsbot.chat.blocks import Part
from opsbot.chat.card import card
from opsbot.commands import shape
from opsbot.core.approval import Decision
from opsbot.core.diagnosis import Proposal, Quote
from opsbot.core.evidence import Citation, Gap
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Ruling, Run, StepRecord, StepState, Verdict
from opsbot.core.target import Target
from opsbot.mask import mask
from opsbot.testing.slack import limits
from tests.chat.chat_world import ALERT, CAUSE, GUESS, NOW, PLAN, approval_of, awaiting, incident_in, made_plan

EVIL = (
    "<!here> <!channel|x> <@U0ANA> <#C01|y> <https://evil.example|click> @here @channel @everyone https://evil.example "
    "*bold* _it_ ~no~ `code` ```fence``` :rotating_light: &lt;!here&gt; <!date^1^x|y> "
    "\x1b[31m \u202e \u200b \ud800 \x00"
)


def hostile(state: State, text: str = EVIL) -> Incident:
    """An incident with this text in every place that telemetry, a model or a person fills."""
    masked = mask(text)
    target = Target("agents", "Deployment", text[:100])
    plan = made_plan(
        why=masked, playbook=text[:60], target=target, permission=text[:40],
        steps=tuple(replace(step, says=text, diff=(text,), kubectl=text) for step in PLAN.steps),
        undo=(replace(PLAN.undo[0], says=text),),
    )  # fmt: skip
    made = {Decision(text, True, NOW, "slack", masked), Decision(text, False, NOW, "slack", masked)}
    finding = replace(
        CAUSE, fault=text, says=masked, target=target,
        evidence=tuple(Citation(text[:30], text, line, masked) for line in range(9)),
    )  # fmt: skip
    guess = replace(GUESS, fault=text, target=target, says=masked, evidence=(Quote(text, masked),) * 3, proposal=text)
    steps = tuple(StepRecord(place, False, "a", StepState.DONE, NOW, NOW, text) for place in range(3))
    return incident_in(
        state, title=masked, severity=text, target=target, reason=text, asked_by=text, acked_by=text, says=masked,
        findings=(finding,) * 9, gaps=(Gap(text, masked),) * 9, hypotheses=(guess,) * 5, asked=True, reopened=1,
        proposals=(Proposal(text, masked, text),), rulings=(Ruling(text, Verdict.DENY, text, text),) * 3,
        plan=plan, approval=replace(approval_of(plan), decisions=tuple(made)), run=Run("r", "p", NOW, steps, NOW),
        resolved_at=NOW, diagnosed_at=NOW, alerts=(replace(ALERT, name=text),) * 5,
    )  # fmt: skip


def told(incident: Incident) -> list[dict[str, Any]]:
    """Everything that is ever said of an incident."""
    origins = {line.id: EVIL for finding in incident.findings for line in finding.evidence}
    shown = card(incident, origins, [EVIL], EVIL)
    brief = {"incident": shape.brief(incident)}
    diagnosis = {
        "target": shape.target(incident.target), "findings": [shape.finding(f) for f in incident.findings],
        "gaps": [shape.gap(g) for g in incident.gaps], "proposals": [shape.proposal(p) for p in incident.proposals],
        "hypotheses": [shape.hypothesis(h) for h in incident.hypotheses], "model": {"says": EVIL},
        "origins": origins,
    }  # fmt: skip
    return [
        shown, *(dict(draft.body) for draft in notes.notes(incident, origins, EVIL)), replies.reply("ack", brief),
        replies.reply("incidents", {"incidents": [brief["incident"]] * 60, "more": True}),
        replies.reply("diagnose", diagnosis), replies.trouble(EVIL),
        replies.shown(shown, [{"at": NOW.isoformat(), "who": EVIL, "act": EVIL, "reason": EVIL}] * 40, 42),
    ]  # fmt: skip


def marked_up(value: Any) -> list[str]:
    """Every text in which Slack would look for markup."""
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for item in value.values() for text in marked_up(item)]
    return [text for item in value for text in marked_up(item)] if isinstance(value, list) else []


OURS = re.compile(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>")


def outside_code(text: str) -> str:
    return re.sub(r"`[^`]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@pytest.mark.parametrize("state", list(State), ids=[state.value for state in State])
def test_hostile_text_is_never_markup(state: State) -> None:
    bodies = told(hostile(state))
    assert len(bodies) > 8
    for body in bodies:
        for text in [*marked_up(body["blocks"]), body["text"]]:
            bare = OURS.sub("", text)
            assert "<" not in bare
            assert ">" not in bare
        for text in marked_up(body["blocks"]):
            assert not re.search(r"evil[.]|[*]bold|_it_|~no~|@|:rot|#C01", outside_code(text))
        assert not re.search(r"@(here|channel|everyone)", body["text"])


@pytest.mark.parametrize("state", list(State), ids=[state.value for state in State])
def test_hostile_text_hides_nothing(state: State) -> None:
    for body in told(hostile(state)):
        whole = str(body["blocks"])
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\ud800-\udfff]", whole)


@pytest.mark.parametrize(
    "text",
    [EVIL, EVIL * 60, "\U0001f525" * 9000, "&" * 9000, "`" * 9000, "\n" * 9000, "<!here>" * 3000, " ", "é" * 5000],
    ids=[
        "hostile",
        "much of it",
        "beyond the BMP",
        "ampersands",
        "backticks",
        "newlines",
        "mentions",
        "blank",
        "accents",
    ],
)
@pytest.mark.parametrize("state", [State.AWAITING_APPROVAL, State.ESCALATED, State.RESOLVED])
def test_limits_hold_whatever_comes(state: State, text: str) -> None:
    for body in told(hostile(state, text)):
        assert limits.message(body["blocks"]) == []
        assert len(body["blocks"]) <= blocks.BLOCKS
        assert sum(map(blocks.weight, body["blocks"])) <= blocks.ALL_TEXT
        assert blocks.length(body["text"]) <= blocks.FALLBACK
        assert [block.to_dict() for block in Block.parse_all(body["blocks"])] == body["blocks"]


def test_the_buttons_outlive_every_flood() -> None:
    shown = card(hostile(State.AWAITING_APPROVAL, "\U0001f525" * 9000), {}, ["Ana"])
    kinds = [block["type"] for block in shown["blocks"]]
    assert kinds[0] == "header"
    assert "actions" in kinds


def test_what_is_left_out_is_said() -> None:
    parts = [Part(blocks.section(blocks.plain(f"{place}" * 900)), place) for place in range(60)]
    made = blocks.message("x", parts, "opsbot show 7")
    assert made["blocks"][0]["text"]["text"].startswith("000")
    assert made["blocks"][-1]["elements"][0]["text"] == "… more: opsbot show 7"
    assert sum(map(blocks.weight, made["blocks"])) <= blocks.ALL_TEXT


def test_the_least_important_goes_first() -> None:
    sizes = [(0, "a"), (5, "b"), (1, "c"), (-1, "d")]
    parts = [Part(blocks.section(blocks.plain(letter * 2999)), rank) for rank, letter in sizes]
    parts.append(Part(blocks.section(blocks.plain("e" * 100)), 2))
    made = blocks.message("x", parts, "more")
    shown = [block.get("text", {}).get("text", "…")[0] for block in made["blocks"]]
    assert shown == ["a", "…", "c", "d", "e"]


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("short", 10, "short"),
        ("exactly", 7, "exactly"),
        ("too long", 5, "too …"),
        ("\U0001f525\U0001f525\U0001f525", 5, "\U0001f525\U0001f525…"),
        ("\U0001f525\U0001f525\U0001f525", 4, "\U0001f525…"),
        ("a&amp;b", 4, "a…"),
        ("a&amp;b", 7, "a&amp;b"),
        ("a&amp;bc", 7, "a&amp;…"),
    ],
    ids=["short", "exact", "long", "pairs", "half a pair", "inside an entity", "entity fits", "after an entity"],
)
def test_a_cut_keeps_characters_and_entities_whole(text: str, limit: int, cut: str) -> None:
    assert blocks.cut(text, limit) == cut
    assert blocks.length(blocks.cut(text, limit)) <= limit


def test_lines_that_do_not_fit_are_counted() -> None:
    text = blocks.fence([f"line {place} " + "x" * 100 for place in range(100)], 1000)["text"]["text"]
    shown = text.count("line") - 1
    assert text.endswith(f"… and {100 - shown} more lines\n```")
    assert blocks.length(text) <= 1000


def test_a_time_is_shown_in_the_readers_zone_and_in_words() -> None:
    at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    assert blocks.moment(at) == f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|2026-05-04 03:02 UTC>"


def test_a_card_that_waits_says_all_that_a_decision_needs() -> None:
    text = str(card(awaiting(), {"e1": "logs of pod agents-7d4f"}, ["Ana", "Zoe"]))
    for said in (
        "Waits for approval", "overload", "queue is full", "logs of pod agents-7d4f", "scale Deployment/agents",
        "- spec.replicas: 4", "+ spec.replicas: 6", "kubectl scale deployment/agents", "03:17 UTC", "Ana, Zoe",
        "approve:scale", "opsbot approve 42 " + PLAN.digest[:8], "Undo", "nothing is changed",
    ):  # fmt: skip
        assert said in text


def test_a_hypothesis_is_called_one() -> None:
    text = str(card(incident_in(State.DIAGNOSED, hypotheses=(GUESS,)), {}))
    assert "A model's hypothesis, not a finding: slow_dependency" in text
    assert "by its own word 40 % sure" in text
    assert "queue is full (512)" in text
