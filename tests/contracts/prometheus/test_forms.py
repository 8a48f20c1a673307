"""The bytes on the wire: whatever the fake says, each real Prometheus says in the same form, to the letter."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from opsbot.core.errors import Blind
from opsbot.prometheus.envelope import Reply, success
from opsbot.testing.cluster.wire import Request
from opsbot.testing.prometheus import FakePrometheus
from tests.contracts.prometheus.data import AT, TOLD, TOLD_3

TIME = f"{AT.timestamp():.3f}"


def told(expression: str, version: str) -> tuple[int, str, Any]:
    """What the fake says when it has been told what this version would say."""
    fake = FakePrometheus(version)
    fake.says(expression, (TOLD_3 if version.startswith("3.") else TOLD)[expression])
    body = urlencode({"query": expression, "time": TIME}).encode()
    answer = fake.handle(Request("POST", "/api/v1/query", {}, body))
    return answer.status, answer.headers["Content-Type"], json.loads(answer.body)


def said(url: str, expression: str, **more: str) -> tuple[int, str, Any]:
    """What a real server says."""
    asked = {"query": expression, "time": TIME, **more}
    answer = requests.post(f"{url}/api/v1/query", data=asked, timeout=10)
    return answer.status_code, answer.headers["Content-Type"], answer.json()


def version_of(url: str) -> str:
    found: str = requests.get(f"{url}/api/v1/status/buildinfo", timeout=10).json()["data"]["version"]
    return found


def settled(answer: tuple[int, str, Any]) -> str:
    """As text that can be compared: NaN equals itself in it, and nothing is left out."""
    return json.dumps(answer, sort_keys=True)


@pytest.mark.parametrize("expression", list(TOLD), ids=lambda text: repr(text)[:40])
def test_the_fake_says_it_as_the_real_one_does(a_real_url: str, expression: str) -> None:
    assert settled(told(expression, version_of(a_real_url))) == settled(said(a_real_url, expression))


def test_a_time_that_is_none(a_real_url: str) -> None:
    status, _, found = said(a_real_url, "1", time="x")
    assert (status, found["errorType"]) == (400, "bad_data")
    answer = FakePrometheus().handle(Request("POST", "/api/v1/query", {"query": "1", "time": "x"}))
    assert (answer.status, json.loads(answer.body)["errorType"]) == (400, "bad_data")


def test_a_query_that_has_no_time_left_is_no_fault_of_its_own(a_real_url: str) -> None:
    """A busy server lets queries wait, and ends those that waited too long: version 3 now and then as if wrong."""
    for _ in range(20):
        status, sort, found = said(a_real_url, "1", timeout="0s")
        with pytest.raises(Blind):
            success(Reply(status, {"content-type": sort}, json.dumps(found).encode()))


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("GET", "/api/v1/nothing")], ids=["page", "api"])
def test_what_is_not_there(a_real_url: str, method: str, path: str) -> None:
    real = requests.request(method, f"{a_real_url}{path}", timeout=10)
    fake = FakePrometheus().handle(Request(method, path))
    assert (fake.status, fake.body.strip()) == (real.status_code, real.content.strip()) == (404, b"404 page not found")


def test_a_get_is_answered_like_a_post(a_real_url: str) -> None:
    found = requests.get(f"{a_real_url}/api/v1/query", params={"query": "odd", "time": TIME}, timeout=10).json()
    assert settled((200, "", found)) == settled((200, "", said(a_real_url, "odd")[2]))


def test_it_says_its_version(a_real_url: str) -> None:
    real = requests.get(f"{a_real_url}/api/v1/status/buildinfo", timeout=10).json()
    fake = json.loads(FakePrometheus("1.2.3").handle(Request("GET", "/api/v1/status/buildinfo")).body)
    assert fake == {"status": "success", "data": {"version": "1.2.3"}}
    assert real["status"] == "success"
    assert version_of(a_real_url)[0] in "23"
