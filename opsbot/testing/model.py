"""Language models that say what they were told to: on the model port, and as Chat Completions over HTTP on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from opsbot.core.errors import OpsbotError
from opsbot.core.ports import Question, Reply
from opsbot.testing.cluster.wire import Request
from opsbot.testing.loopback import Ending, Told, served

Json = Mapping[str, Any]
Answer = str | Callable[[str], str]
"""What a model says, or how it makes that of the user's message."""


class FakeModel:
    """`core.ports.Model` in the process itself: it gives its answers in turn, and the last one from then on."""

    def __init__(self, *answers: Answer | OpsbotError) -> None:
        self.asked: list[Question] = []
        self._answers = list(answers)

    def ask(self, question: Question, deadline: float) -> Reply:  # noqa: ARG002
        """What it was told to say, or to raise."""
        self.asked.append(question)
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(said, OpsbotError):
            raise said
        return Reply(said if isinstance(said, str) else said(question.text), 1000, 100)


@dataclass(frozen=True, slots=True)
class Said:
    """One HTTP answer in the making. `raw` is a body that is no completion; `usage` None leaves the count out."""

    content: Answer | None = ""
    status: int = 200
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: Json | None = field(default_factory=lambda: {"prompt_tokens": 1000, "completion_tokens": 100})
    ending: Ending = Ending.WHOLE


def refusal(status: int, why: str, **headers: str) -> Said:
    """An error as such servers tell it."""
    body = json.dumps({"error": {"message": why, "type": "invalid_request_error", "param": None, "code": None}})
    return Said(status=status, raw=body.encode(), headers={name.replace("_", "-"): headers[name] for name in headers})


class FakeModelServer:
    """Programmable Chat Completions. A request with what it `lacks` (a member, or a format) is answered with a 400."""

    def __init__(self, *said: Said, lacks: tuple[str, ...] = (), key: str = "", name: str = "fake") -> None:
        self.asked: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self._said, self._lacks, self._key, self._name = list(said), lacks, key, name

    def handle(self, asked: Request) -> Told:
        """One request, answered."""
        self.requests.append(asked)
        if self._key and asked.token != self._key:
            return self._told(refusal(401, "Incorrect API key provided"), {})
        if asked.method == "GET" and asked.path == "/v1/models":
            listed = {"object": "list", "data": [{"id": self._name, "object": "model"}]}
            return self._told(Said(raw=json.dumps(listed).encode()), {})
        if asked.method != "POST" or asked.path != "/v1/chat/completions":
            return self._told(refusal(404, f"there is no {asked.method} {asked.path}"), {})
        body = json.loads(asked.body)
        self.asked.append(body)
        lacking = [word for word in self._lacks if word in body or word == body.get("response_format", {}).get("type")]
        if lacking:
            return self._told(refusal(400, f"Unsupported parameter: '{lacking[0]}' is not supported"), body)
        return self._told(self._said.pop(0) if len(self._said) > 1 else self._said[0], body)

    def _told(self, said: Said, body: Json) -> Told:
        raw = said.raw if said.raw is not None else json.dumps(self._completion(said, body)).encode()
        return Told(said.status, raw, {"Content-Type": "application/json", **said.headers}, said.ending)

    def _completion(self, said: Said, body: Json) -> Json:
        content = said.content(body["messages"][-1]["content"]) if callable(said.content) else said.content
        message = {"role": "assistant", "content": content}
        counted = {} if said.usage is None else {"usage": said.usage}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {
            "id": "c1",
            "object": "chat.completion",
            "created": 0,
            "model": self._name,
            "choices": [choice],
            **counted,
        }

    def serve(self, port: int = 0) -> AbstractContextManager[str]:
        """Serve on loopback while the context lasts; its value is the URL, to which `/v1` is added."""
        return served(self.handle, port)
