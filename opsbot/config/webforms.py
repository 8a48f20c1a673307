"""The sections `web` and `webhooks` of agent_config.yaml: their form, what is wrong with them, and what they mean."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from opsbot.config import values
from opsbot.core import template
from opsbot.core.errors import Problem
from opsbot.yamlfile import Document, Strict, Where

RESERVED = ("alertmanager", "grafana", "prometheus")
"""Names that no webhook of config may have: two have a form of their own, and the third is the source of polls."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_ROOTS = ("alert", "payload")
_LOCAL = ("localhost",)

Word = Annotated[str, Field(min_length=1)]


class WebModel(Strict):
    """The small server."""

    listen: str = values.Web().listen
    token_file: Word | None = None
    most_bytes: Annotated[int, Field(ge=10_000, le=20_000_000)] = values.Web().most_bytes


class GenericModel(Strict):
    """One sender of JSON of its own."""

    alerts: str = ""
    name: Word
    status: Word
    firing: Annotated[list[Word], Field(min_length=1)]
    resolved: Annotated[list[Word], Field(min_length=1)]
    severity: str = ""
    starts_at: str = ""
    ends_at: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class WebhooksModel(Strict):
    """What is made of pushed alerts."""

    identity_ignores: list[Word] = Field(default_factory=lambda: list(values.Webhooks().identity_ignores))
    generic: dict[str, GenericModel] = Field(default_factory=dict)


def problems(document: Document, web: WebModel | None, webhooks: WebhooksModel) -> Iterator[Problem]:
    """What the form alone cannot say, each at its place."""
    if web:
        yield from _of_listen(document, web)
    elif document.value and "webhooks" in document.value:
        yield document.problem(("webhooks",), "webhooks: nobody listens", "add a section `web`", key=True)
    for name, found in webhooks.generic.items():
        yield from _of_generic(document, found, ("webhooks", "generic", name), name)


def web_of(found: WebModel, folder: Path) -> values.Web:
    """The server's settings."""
    file = folder / Path(found.token_file).expanduser() if found.token_file else None
    return values.Web(found.listen, file, found.most_bytes)


def webhooks_of(found: WebhooksModel) -> values.Webhooks:
    """What pushed alerts are read by."""
    return values.Webhooks(tuple(found.identity_ignores), {name: _generic(one) for name, one in found.generic.items()})


def _generic(found: GenericModel) -> values.Generic:
    return values.Generic(
        name=found.name, status=found.status, firing=tuple(found.firing), resolved=tuple(found.resolved),
        alerts=found.alerts, severity=found.severity, starts_at=found.starts_at, ends_at=found.ends_at,
        labels=found.labels, annotations=found.annotations,
    )  # fmt: skip


# the server ---------------------------------------------------------------------------------------------------------


def _of_listen(document: Document, web: WebModel) -> Iterator[Problem]:
    where: Where = ("web", "listen")
    host, colon, port = web.listen.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        yield document.problem(where, "web.listen: write HOST:PORT", "for example 127.0.0.1:9095")
    elif web.token_file is None and not _loopback(host):
        hint = "give web.token_file, or listen on 127.0.0.1"
        yield document.problem(where, "web.listen: without a token only this machine may be listened to", hint)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in _LOCAL


# senders of JSON of their own ---------------------------------------------------------------------------------------


def _of_generic(document: Document, found: GenericModel, where: Where, name: str) -> Iterator[Problem]:
    if name in RESERVED:
        yield document.problem(where, f"webhooks.generic: the name {name!r} is taken", "choose another one", key=True)
    elif not _NAME.fullmatch(name):
        hint = "small letters, digits, - and _, such as my-sensors"
        yield document.problem(where, f"webhooks.generic: {name[:60]!r} cannot stand in a path", hint, key=True)
    if found.alerts and not _PATH.fullmatch(found.alerts):
        hint = "a dotted path to a list, such as data.events; leave it out where the payload is one alert"
        yield document.problem((*where, "alerts"), f"alerts: {found.alerts[:60]!r} is no path", hint)
    for key in ("name", "status", "severity", "starts_at", "ends_at"):
        yield from _of_text(document, getattr(found, key), (*where, key), key)
    for key in ("labels", "annotations"):
        for label, written in getattr(found, key).items():
            yield from _of_text(document, written, (*where, key, label), label)
    yield from _of_words(document, found, where)


def _of_text(document: Document, written: str, where: Where, key: str) -> Iterator[Problem]:
    """References must be well formed and begin at something that is there."""
    try:
        paths = list(template.references(written))
    except ValueError as error:
        yield document.problem(where, f"{key}: {error}", "for example {{ alert.host.name }}")
        return
    for path in paths:
        root, _, rest = path.partition(".")
        if root not in _ROOTS or not rest:
            hint = "begin with alert (an entry of the list) or payload (all of it), as in {{ alert.title }}"
            yield document.problem(where, f"{key}: {{{{ {path[:60]} }}}} leads nowhere", hint)
    if key in ("status", "starts_at", "ends_at") and written and not paths:
        yield document.problem(where, f"{key}: refers to nothing", "for example {{ alert.state }}")


def _of_words(document: Document, found: GenericModel, where: Where) -> Iterator[Problem]:
    both = [word for word in found.resolved if word in found.firing]
    for word in both:
        yield document.problem((*where, "resolved"), f"resolved: {word[:60]!r} cannot mean firing as well")
    for label in found.labels:
        if label in ("alertname", "severity"):
            own = {"alertname": "name"}.get(label, label)
            hint = f"use the key {own}"
            yield document.problem((*where, "labels", label), f"labels: {label} has a key of its own", hint, key=True)
