"""The model's hand against servers that answer well, badly, late, too much or not at all."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.llm import ChatModel
from opsbot.llm.spent import NoAnswer, guessed
from opsbot.testing.loopback import Ending
from opsbot.testing.model import FakeModelServer, Said, refusal
from tests.llm.model_world import EMPTY, SCHEMA, Terms, listening, model, question

GOOD = Said(EMPTY)
LONG = 'x' * 30_000  # fmt: skip
KEY = "sk-test-0123456789abcdefABCDEF"


def asked(server: FakeModelServer, deadline: float = 20.0) -> Any:
    with server.serve() as url:
        return model(url).ask(question(), deadline)


# answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        EMPTY, f"\n {EMPTY}\n", f"```json\n{EMPTY}\n```", f"```\n{EMPTY}\n```\n",
        f"<think>The log says {{queue}}.\nHm.</think>\n{EMPTY}", '{"hypotheses": [], "note": "more than asked for"}',
    ],
    ids=["bare", "blanks", "json fence", "fence", "thoughts", "more members"],
)  # fmt: skip
def test_json_of_the_wanted_shape_comes_through(content: str) -> None:
    reply = asked(FakeModelServer(Said(content)))
    assert json.loads(reply.text)["hypotheses"] == []
    assert (reply.prompt_tokens, reply.completion_tokens) == (1000, 100)


def test_the_question_goes_out_as_it_is() -> None:
    server = FakeModelServer(GOOD)
    asked(server)
    (body,) = server.asked
    assert body["messages"] == [
        {"role": "system", "content": "You are asked."}, {"role": "user", "content": "What is wrong?"},
    ]  # fmt: skip
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (body["model"], body["max_tokens"], body["temperature"], body["stream"]) == ("fake", 1500, 0, False)
    assert "tools" not in body


@pytest.mark.parametrize(
    ("lacks", "final"),
    [
        ((), {"response_format": "json_schema", "length": "max_tokens", "temperature": 0}),
        (("json_schema",), {"response_format": "json_object", "length": "max_tokens", "temperature": 0}),
        (("response_format",), {"response_format": None, "length": "max_tokens", "temperature": 0}),
        (("max_tokens",), {"response_format": "json_schema", "length": "max_completion_tokens", "temperature": 0}),
        (("temperature",), {"response_format": "json_schema", "length": "max_tokens", "temperature": None}),
        (
            ("max_tokens", "temperature", "response_format"),
            {"response_format": None, "length": "max_completion_tokens", "temperature": None},
        ),
    ],
    ids=["nothing", "schemas", "formats", "max_tokens", "temperature", "all of it"],
)
def test_what_a_server_lacks_is_left_out_and_remembered(lacks: tuple[str, ...], final: dict[str, Any]) -> None:
    server = FakeModelServer(GOOD, lacks=lacks)
    with server.serve() as url:
        hand = model(url)
        for _ in range(2):
            assert hand.ask(question(), 20.0).text == EMPTY
    for body in server.asked[-2:]:  # the second question was asked in these words at once
        assert body.get("response_format", {}).get("type") == final["response_format"]
        assert final["length"] in body
        assert body.get("temperature") == final["temperature"]
    assert len(server.asked) <= 6
    told = server.asked[-1]["messages"][0]["content"]
    assert ("JSON Schema" in told) is (final["response_format"] != "json_schema")


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_everything_is_soon_let_go(status: int) -> None:
    server = FakeModelServer(refusal(status, "max_tokens, temperature and all that"))
    with pytest.raises(Blind, match=f"answered {status}: max_tokens, temperature and all that"):
        asked(server)
    assert len(server.asked) == 5


# broken answers -----------------------------------------------------------------------------------------------------

BAD = {
    "prose": "It may be overloaded.", "half": '{"hypotheses": [', "other shape": '{"hypotheses": {}}',
    "missing": '{"thoughts": []}', "list": "[]", "number": "1", "nan": '{"hypotheses": [NaN]}',
    "deep": "[" * 9_000, "item": '{"hypotheses": ["restart it"]}',
    "two fences": f"```\n{EMPTY}\n```\n```\n{EMPTY}\n```",
}  # fmt: skip


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_broken_answer_is_mended_in_one_turn(content: str) -> None:
    server = FakeModelServer(Said(content), GOOD)
    reply = asked(server)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == (EMPTY, 2000, 200)
    first, second = (body["messages"] for body in server.asked)
    assert second[:2] == first
    assert [message["role"] for message in second[2:]] == ["assistant", "user"]
    assert len(second[2]["content"]) <= 4000
    assert "not the JSON object that was asked for" in second[3]["content"]


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_one_that_stays_broken_is_no_answer(content: str) -> None:
    server = FakeModelServer(Said(content))
    with pytest.raises(NoAnswer, match="no usable answer") as caught:
        asked(server)
    assert len(server.asked) == 2
    assert (caught.value.spent.prompt, caught.value.spent.completion) == (2000, 200)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said(None), "empty answer"),
        (Said("  \n"), "empty answer"),
        (Said(LONG), "answer of 30000 characters"),
        (Said("x" * 300_000), "more than 256000 bytes"),
        (Said(raw=b""), "no JSON object"),
        (Said(raw=b"\xff\xfe{}"), "no JSON object"),
        (Said(raw=b"[1]"), "no JSON object"),
        (Said(raw=b"[" * 20_000), "no JSON object"),
        (Said(raw=b"{}"), "without a message"),
        (Said(raw=b'{"choices": []}'), "without a message"),
        (Said(raw=b'{"choices": [{"message": "hi"}]}'), "without a message"),
        (Said(raw=b'data: {"choices": []}\n\ndata: [DONE]\n\n'), "no JSON object"),
        (Said(raw=b"<!doctype html>", headers={"Content-Type": "text/html"}), "no JSON object"),
        (Said(raw=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}), "packed its answer"),
        (Said(raw=b'"\xed\xa0\x80"'), "no JSON object"),
        (refusal(500, "the engine fell over"), "answered 500: the engine fell over"),
        (refusal(401, "Incorrect API key provided"), "answered 401: Incorrect API key provided"),
        (refusal(404, "no such model"), "answered 404: no such model"),
        (Said(status=302, raw=b"", headers={"Location": "http://127.0.0.1:9/v1/chat/completions"}), "answered 302"),
        (Said(status=503, raw=b"\xff" * 900), "answered 503"),
        (Said(EMPTY, ending=Ending.CUT), "broke the connection off"),
        (Said(EMPTY, ending=Ending.DROPPED), "broke the connection off"),
    ],
    ids=[
        "null", "blank", "long text", "long body", "no body", "not UTF-8", "a list", "deep", "no choices",
        "none chosen", "odd message", "streamed", "web page", "packed", "half characters", "500", "401", "404",
        "redirect", "503", "cut", "dropped",
    ],
)  # fmt: skip
def test_all_else_is_blind_at_once_and_not_repeated(said: Said, why: str) -> None:
    server = FakeModelServer(said)
    with pytest.raises(Blind, match=why) as caught:
        asked(server)
    assert len(server.requests) == 1
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("ending", [Ending.HANGS, Ending.DRIPS])
def test_the_deadline_is_one_of_the_wall(ending: Ending) -> None:
    server = FakeModelServer(Said(EMPTY, ending=ending))
    with pytest.raises(Blind, match="no whole answer in time"):
        asked(server, deadline=0.3)


def test_the_shortest_of_three_deadlines_counts() -> None:
    server = FakeModelServer(Said(EMPTY, ending=Ending.HANGS))
    with server.serve() as url, pytest.raises(Blind, match="no whole answer in time"):
        model(url).ask(question(timeout=0.2), 600.0)


def test_servers_that_hang_do_not_eat_all_threads() -> None:
    server = FakeModelServer(Said(EMPTY, ending=Ending.HANGS))
    with server.serve() as url:
        hand = model(url)
        before = threading.active_count()
        for _ in range(8):
            with pytest.raises(Blind):
                hand.ask(question(), 0.05)
        assert threading.active_count() <= before + 12  # those of the server included


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://127.0.0.1:1", "refuses the connection"), ("https://127.0.0.1:{port}", "certificate|TLS")],
    ids=["nobody there", "no TLS"],
)
def test_a_server_that_cannot_be_reached_costs_nothing(url: str, why: str) -> None:
    with FakeModelServer(GOOD).serve() as there, pytest.raises(NoAnswer, match=why) as caught:
        model(url.format(port=there.rpartition(":")[2])).ask(question(), 10.0)
    assert (caught.value.spent.prompt, caught.value.spent.completion) == (0, 0)


# 429 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["0", "0.05"])
def test_a_429_is_waited_out_once(after: str) -> None:
    server = FakeModelServer(refusal(429, "slow down", Retry_After=after), GOOD)
    assert asked(server).text == EMPTY
    assert len(server.asked) == 2


@pytest.mark.parametrize("after", ["3600", "-1", "nan", "inf", "Sun, 22 Nov 2026 10:00:00 GMT", "x" * 100])
def test_a_wait_that_does_not_fit_is_not_begun(after: str) -> None:
    server = FakeModelServer(refusal(429, "slow down", Retry_After=after), GOOD)
    with pytest.raises(Blind, match="answered 429: slow down"):
        asked(server)
    assert len(server.asked) == 1


def test_a_second_429_is_the_end() -> None:
    server = FakeModelServer(refusal(429, "slow down", Retry_After="0"))
    with pytest.raises(Blind, match="answered 429"):
        asked(server)
    assert len(server.asked) == 2


# what it cost -------------------------------------------------------------------------------------------------------

COUNTS: dict[str, Any] = {
    "left out": None, "zero": {"prompt_tokens": 0, "completion_tokens": 0}, "a word": {"prompt_tokens": "7"},
    "truth": {"prompt_tokens": True}, "negative": {"prompt_tokens": -5}, "huge": {"prompt_tokens": 10**15},
    "fraction": {"prompt_tokens": 1.5}, "a list": [],
}  # fmt: skip


@pytest.mark.parametrize("usage", COUNTS.values(), ids=COUNTS)
def test_a_count_that_cannot_be_right_is_guessed_high(usage: Any) -> None:
    reply = asked(FakeModelServer(Said(EMPTY, usage=usage)))
    assert reply.prompt_tokens == guessed("You are asked." + "What is wrong?")
    assert reply.completion_tokens >= guessed(EMPTY)


def test_an_answer_that_was_cut_may_have_cost_all() -> None:
    with pytest.raises(NoAnswer) as caught:
        asked(FakeModelServer(Said(EMPTY, ending=Ending.CUT)))
    assert (caught.value.spent.prompt, caught.value.spent.completion) == (guessed("x" * 28), 1500)


# keys and places ----------------------------------------------------------------------------------------------------


def test_the_key_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "key"
    server = FakeModelServer(GOOD, key=KEY)
    with server.serve() as url:
        hand = model(url, file)
        file.write_text("sk-old\n")
        with pytest.raises(Blind, match="answered 401"):
            hand.ask(question(), 10.0)
        file.write_text(f"{KEY}\n")
        assert hand.ask(question(), 10.0).text == EMPTY


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"", "one line"),
        (b"a\nb", "one line"),
        ("schlüssel".encode(), "one line"),
        (b"\xff", "read"),
    ],
    ids=["no file", "empty", "two lines", "not ASCII", "not UTF-8"],
)
def test_a_bad_key_file_is_said_without_its_content(tmp_path: Path, content: bytes | None, why: str) -> None:
    file, server = tmp_path / "key", FakeModelServer(GOOD)
    if content is not None:
        file.write_bytes(content)
    with server.serve() as url, pytest.raises(NoAnswer, match=f"was not asked: .*{why}") as caught:
        model(url, file).ask(question(), 10.0)
    assert server.requests == []
    assert (caught.value.spent.prompt, caught.value.spent.completion) == (0, 0)


def test_little_gets_out_and_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET"):
        monkeypatch.setenv(name, "sk-of-somebody-else-0123456789")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: somebody\nAuthorization: Bearer somebody")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    (tmp_path / "key").write_text(KEY)
    for key in (None, tmp_path / "key"):
        with listening(EMPTY) as (url, heard):
            assert model(url, key).ask(question(), 10.0).text == EMPTY
        head = heard[0].partition(b"\r\n\r\n")[0].decode().lower()
        names = {line.partition(":")[0] for line in head.split("\r\n")[1:]}
        wanted = {"host", "accept", "accept-encoding", "user-agent", "content-type", "content-length"}
        assert names - {"connection"} == (wanted | {"authorization"} if key else wanted)
        assert "somebody" not in heard[0].decode()
        assert (f"bearer {KEY.lower()}" in head) is bool(key)


def test_no_key_in_errors_logs_or_looks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "key").write_text(KEY)
    caplog.set_level(logging.DEBUG)
    server = FakeModelServer(refusal(500, f"bad key {KEY}"))
    with server.serve() as url:
        hand = model(url, tmp_path / "key")
        with pytest.raises(Blind) as caught:
            hand.ask(question(), 10.0)
    assert KEY not in str(caught.value)
    assert KEY not in repr(hand)
    assert KEY not in repr(vars(hand))
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "url",
    ["", "model", "ftp://h/v1", "http://", "http://key@h/v1", "http://[::1", "http://h:99999/v1", "file:///etc/passwd"],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(PermanentError, match=r"model\.base_url is no http address"):
        ChatModel(Terms(url))


# doctor -------------------------------------------------------------------------------------------------------------


def test_doctor_is_told_that_it_is_there() -> None:
    with FakeModelServer(GOOD).serve() as url:
        assert model(url).check() == f"the model fake at {url} is there"


def test_a_name_without_a_tag_is_the_latest_as_ollama_has_it() -> None:
    with FakeModelServer(GOOD, name="fake:latest").serve() as url:
        assert "is there" in model(url).check()


def test_doctor_is_told_of_a_server_that_is_not_there() -> None:
    with pytest.raises(Blind, match="refuses the connection"):
        model("http://127.0.0.1:9").check()


COLD = """
import sys
from opsbot.core.errors import Blind
from opsbot.llm import warm
from tests.llm.model_world import Terms, model, question

assert "openai" not in sys.modules
warm(Terms())
before = set(sys.modules)
try:
    model("http://127.0.0.1:9").ask(question(), 5.0)
except Blind as error:
    assert "refuses" in str(error), error
late = [name for name in set(sys.modules) - before if name.startswith(("openai", "httpx", "pydantic"))]
assert not late, late
"""


def test_after_warming_up_a_first_question_loads_nothing_more() -> None:
    subprocess.run([sys.executable, "-c", COLD], check=True, cwd=Path(__file__).parents[2], timeout=60)


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (FakeModelServer(GOOD, name="other"), "not among the models"),
        (FakeModelServer(GOOD, key=KEY), "answered 401 when asked for its models"),
    ],
    ids=["other model", "no key"],
)
def test_doctor_is_told_what_is_wrong(server: FakeModelServer, why: str) -> None:
    with server.serve() as url, pytest.raises(Blind, match=why):
        model(url).check()
