"""Silences by chat: typed as people and their keyboards type, by those who may, answered in private."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsbot.chat.words import parse
from opsbot.core.errors import PermanentError
from opsbot.matchers import spell
from tests.chat.chat_world import ACCESS, ANA, BEN, EVE, NOW, Office

ALLOWED = replace(ACCESS, permissions={**ACCESS.permissions, "sre": ("silence",)})


@pytest.fixture
def desk(office: Office) -> Office:
    office.access = ALLOWED
    return office


TYPED: dict[str, tuple[str, list[str], str]] = {
    "plain": ("HighLatency ns=shop --for 2h --comment test", ['alertname="HighLatency"', 'ns="shop"'], "test"),
    "a name with blanks": (
        '"High Task Latency" ns=shop --for 2h --comment load test', ['alertname="High Task Latency"', 'ns="shop"'],
        "load test",
    ),
    "one in curly quotation marks": (
        "\u201cAna's Task\u201d --for 2h --comment x", ['alertname="Ana\'s Task"'], "x",
    ),
    "curly quotation marks": (
        "ns=~\u201cshop-.*|bank\u201d --for 2h --comment \u201cload test\u201d", ['ns=~"shop-.*|bank"'], "load test",
    ),
    "straight ones": ('ns="shop" --for 2h --comment "load test"', ['ns="shop"'], "load test"),
    "a comment without": ("ns=shop --for 2h --comment load test until two", ['ns="shop"'], "load test until two"),
    "a comment without, then options": ("ns=shop --comment load test --for 2h", ['ns="shop"'], "load test"),
    "an apostrophe": ("ns=shop --for 2h --comment don't wake me", ['ns="shop"'], "don't wake me"),
    "braces": ("{ns=\u201cshop\u201d, sev!=critical} --for 2h --comment x", ['ns="shop"', 'sev!="critical"'], "x"),
    "long dashes": ("ns=shop \u2014for 2h \u2013comment x", ['ns="shop"'], "x"),
    "backslashes in quotation marks": (r'pod=~"web-\d+" --for 2h --comment x', [r'pod=~"web-\\d+"'], "x"),
    "an address that Slack made a link": (
        "host=&lt;none&gt; url=<http://a.example|a.example> --for 2h --comment x",
        ['host="<none>"', 'url="a.example"'], "x",
    ),
}  # fmt: skip


@pytest.mark.leaves_sockets
@pytest.mark.parametrize(("text", "matchers", "comment"), TYPED.values(), ids=TYPED)
def test_added_as_typed(desk: Office, text: str, matchers: list[str], comment: str) -> None:
    with desk.open():
        desk.slack.type_command(ANA, "/opsbot", f"silence add {text}").wait()
        said = desk.private(ANA)[0]
    (made,) = desk.store.silences()
    assert [spell(one) for one in made.matchers] == matchers
    assert (made.comment, made.author, made.starts_at) == (comment, "Ana", NOW)
    assert "Silence 1 is active" in said


@pytest.mark.leaves_sockets
def test_an_evening_by_chat(desk: Office) -> None:
    with desk.open():
        for count, words in enumerate((
            "silence add a=b --preview", "silence add a=b --for 1h --comment x", "silence list", "silence expire 1",
            "silence expire 1", "silence list", "silence list --all", "status",
        ), 1):  # fmt: skip
            desk.slack.type_command(ANA, "/opsbot", words).wait()
            desk.private(ANA, count)
        said = desk.private(ANA, 8)
    wanted = (
        "Nothing was changed", "Silence 1 is active", '1: active', "Silence 1 is over", "silence 1 is over already",
        "No silence.", "expired by Ana", "Mode",
    )  # fmt: skip
    assert all(one in other for one, other in zip(wanted, said, strict=True)), said


REFUSED: dict[str, tuple[str, str, str]] = {
    "no right to add": (BEN, "silence add a=b --for 2h --comment x", "Ben may not silence; ask Ana (sre)"),
    "no right to expire": (BEN, "silence expire 1", "Ben may not silence; ask Ana (sre)"),
    "a stranger": (EVE, "silence add a=b --for 2h --comment x", "you may not silence; ask Ana (sre)"),
    "no comment": (ANA, "silence add a=b --for 2h", "needs a comment"),
    "no time": (ANA, "silence add a=b --comment x", "for how long?"),
    "everything": (ANA, "silence add a!=b --for 2h --comment x", "also match alerts without"),
    "no such silence": (ANA, "silence expire 7", "there is no silence 7"),
}


@pytest.mark.leaves_sockets
@pytest.mark.parametrize(("who", "words", "says"), REFUSED.values(), ids=REFUSED)
def test_refused_in_private(desk: Office, who: str, words: str, says: str) -> None:
    with desk.open():
        desk.slack.type_command(who, "/opsbot", words).wait()
        said = desk.private(who)[0]
    assert said.startswith("Sorry, that was not done")
    assert says in said
    assert desk.store.silences() == ()


@pytest.mark.leaves_sockets
def test_everybody_may_look_ahead(desk: Office) -> None:
    with desk.open():
        desk.slack.type_command(BEN, "/opsbot", "silence add a=b --preview").wait()
        assert "0 firing alerts would be matched" in desk.private(BEN)[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("silence", "needs a second word: silence add, silence list, silence expire"),
        ("silence ad a=b", "needs a second word"),
        ("silence expire", "required: ID"),
        ("silence add a=b --for", "expected one argument"),
        ("silence list x", "unrecognized arguments: x"),
    ],
    ids=["one word", "misspelt", "no number", "an empty option", "too much"],
)
def test_what_is_not_understood_is_explained(text: str, says: str) -> None:
    with pytest.raises(PermanentError) as error:
        parse(text)
    assert says in str(error.value)
