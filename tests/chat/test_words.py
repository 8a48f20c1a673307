"""Typed words: what is understood, and what a person is told otherwise."""

from __future__ import annotations

import pytest

from opsbot.chat.words import LONGEST, SPOKEN, parse, typed
from opsbot.commands import VERBS
from opsbot.core.errors import PermanentError


@pytest.mark.parametrize(
    ("text", "verb", "given"),
    [
        ("", "help", {"words": []}),
        ("  ", "help", {"words": []}),
        ("help approve", "help", {"words": ["approve"]}),
        ("status", "status", {}),
        ("incidents --all --limit 5", "incidents", {"all": True, "limit": 5}),
        ("show 42", "show", {"incident": 42}),
        ("SHOW 42", "show", {"incident": 42}),
        ("approve 42 1f0c22ab", "approve", {"incident": 42, "plan": "1f0c22ab", "reason": ""}),
        ("reject 42 --reason 'wrong hour'", "reject", {"incident": 42, "plan": "", "reason": "wrong hour"}),
        ("reject 42 \u2014reason \u201cwrong hour\u201d", "reject", {"reason": "wrong hour"}),
        ("reject 42 --reason \u2018it is late\u2019", "reject", {"reason": "it is late"}),
        ("reject 42 --reason \u201cit\u2019s late\u201d", "reject", {"reason": "it\u2019s late"}),
        ("reject 42 --reason it's", "reject", {"incident": 42, "plan": "", "reason": "it's"}),
        ("reject 42 --reason it's late", "reject", {"incident": 42, "plan": "", "reason": "it's late"}),
        ("reject 42 1f0c22ab --reason 'it's late'", "reject", {"plan": "1f0c22ab", "reason": "it's late"}),
        ("reject 42 --reason \u2018it\u2019s late\u2019", "reject", {"reason": "it's late"}),
        ("close 42 --reason the users' wish", "close", {"incident": 42, "reason": "the users' wish"}),
        ("close 42 --reason=the users' \"wish", "close", {"reason": "the users' \"wish"}),
        ("close 42 --reason known maintenance", "close", {"reason": "known maintenance"}),
        ("close 42 --reason --late", "close", {"reason": "--late"}),
        ("close 42 --reason 'it", "close", {"reason": "'it"}),
        ("close --reason 'a b' 42", "close", {"incident": 42, "reason": "a b"}),
        ("close 42 --reason 'a &lt; b &amp; c'", "close", {"reason": "a < b & c"}),
        ("diagnose deploy/agents -n agents", "diagnose", {"target": "deploy/agents", "namespace": "agents"}),
        ("diagnose deploy/<http://a.example|a.example> -n x", "diagnose", {"target": "deploy/a.example"}),
        ("ack\xa042", "ack", {"incident": 42}),
    ],
    ids=[
        "nothing", "blanks", "help for one", "status", "options", "a number", "shouted", "approve", "quotes",
        "dash and quotes of a phone", "single curly quotes", "an apostrophe of a phone",
        "an apostrophe", "a word more", "an apostrophe in quotes", "an apostrophe in quotes of a phone", "a plural",
        "a stray quote", "no quotes", "dashes", "half a quote", "a reason first", "entities", "target",
        "a link that Slack made",
        "no-break space",
    ],
)  # fmt: skip
def test_words_are_understood(text: str, verb: str, given: dict[str, object]) -> None:
    row, args = parse(text)
    assert row.words == verb
    assert {name: getattr(args, name) for name in given} == given


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("aprove 42", "did you mean approve?"),
        ("xyzzy", "/opsbot help lists what there is"),
        ("show", "the following arguments are required: ID. For example: /opsbot show 42"),
        ("show forty-two", "invalid ID value: 'forty-two'"),
        ("show 1 2", "unrecognized arguments: 2"),
        ("show --nope", "For example: /opsbot show 42"),
        ("approve 42", "required: PLAN"),
        ("approve 42 '1f0c22ab", "a quotation mark is not closed"),
        ("show 42' --reason it's", "a quotation mark is not closed"),
        ("reject '42 --reason", "a quotation mark is not closed"),
        ("ack 42 --reason it's late", "unrecognized arguments: --reason"),
        ("status --reason", "unrecognized arguments"),
        ("incidents --limit", "expected one argument"),
        ("incidents --limit 0", "argument --limit: '0' is no whole number from 1 on"),
        ("alerts --limit -1", "argument --limit: '-1' is no whole number from 1 on"),
        ("alerts --limit few", "argument --limit: 'few' is no whole number from 1 on"),
        ("incidents --lim 3", "unrecognized arguments"),
        ("show " + "9" * 5000, "longer than"),
        ("x" * LONGEST + "x", "longer than"),
        ("--help", "is nothing that opsbot knows here"),
    ],
    ids=[
        "misspelt", "no idea", "nothing given", "no number", "too much", "no such option", "no plan", "open quote",
        "open quote before a reason", "open quote and no reason", "a reason where none belongs", "an empty reason",
        "option without value", "limit of none", "limit below none", "limit in words", "abbreviated option",
        "huge number", "too long", "an option first",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_explained(text: str, says: str) -> None:
    with pytest.raises(PermanentError) as error:
        parse(text)
    assert says in str(error.value)


@pytest.mark.parametrize("row", [row for row in VERBS if not row.spoken], ids=lambda row: row.words)
def test_what_reads_files_is_not_for_chat(row: object) -> None:
    with pytest.raises(PermanentError):
        parse(getattr(row, "words") + " /etc/passwd")  # noqa: B009


def test_what_is_for_chat() -> None:
    assert sorted(row.words for row in SPOKEN) == [
        "ack", "alerts", "approve", "close", "diagnose", "help", "incidents", "reject", "show", "silence add",
        "silence expire", "silence list", "status",
    ]  # fmt: skip
    assert all(row.door == "any" for row in SPOKEN)


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: row.words)
def test_each_example_is_understood(row: object) -> None:
    example = str(getattr(row, "example")).removeprefix("opsbot ")  # noqa: B009
    assert parse(example)[0] is row


def test_links_and_mail_addresses_are_taken_back() -> None:
    assert typed("<mailto:ana@example.org|ana@example.org> <https://x.example> <#C01|ops>") == (
        "ana@example.org https://x.example ops"
    )
