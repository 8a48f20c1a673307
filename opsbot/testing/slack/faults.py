"""Trouble that a test can order from the fake Slack: what goes wrong with the next fitting call."""

from __future__ import annotations

import json

from opsbot.testing.cluster.faults import Fault, Order, hang, lost_answer
from opsbot.testing.cluster.wire import Ending, Response

__all__ = ["Fault", "Order", "dead", "hang", "lost_answer", "rate_limited", "server_error", "slack_error"]


def dead() -> Fault:
    """Nobody is there: the connection ends before anything was done."""
    return Fault(applies=False, ending=Ending.REFUSED)


def rate_limited(retry_after: int = 1) -> Fault:
    """429 with Retry-After in seconds."""
    return Fault(applies=False, response=refused("ratelimited", 429, {"Retry-After": str(retry_after)}))


def server_error(code: int = 500, *, applies: bool = False) -> Fault:
    """A page of a broken server, after doing what was asked or not."""
    return Fault(applies, response=Response(code, b"<!doctype html><title>Server Error</title>", "text/html"))


def slack_error(name: str) -> Fault:
    """HTTP 200 with `{"ok": false, "error": name}`, as most refusals of Slack are."""
    return Fault(applies=False, response=refused(name))


def refused(error: str, status: int = 200, headers: dict[str, str] | None = None, **more: object) -> Response:
    """Slack's envelope around an error."""
    return Response(status, json.dumps({"ok": False, "error": error, **more}).encode(), headers=headers or {})
