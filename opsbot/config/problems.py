"""What is wrong with an agent_config.yaml whose form is good: sections in, problems at their places out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from opsbot.config import alerting, holding, webforms
from opsbot.config.forms import AccessModel, ConnectionModel, FileModel, ModelModel, RoleModel, SlackModel
from opsbot.core.errors import Problem
from opsbot.core.task import Mode, Skill
from opsbot.yamlfile import Document, Where

EVERYONE = "everyone"
NOT_YET = {"notify": "notifications by webhook"}
PERMISSIONS = ("read", "diagnose", "approve", "run", "close", "ack", "silence", "pause", "ask", "note")


def problems(document: Document, found: FileModel) -> Iterator[Problem]:
    """All that the form cannot say, each at its place."""
    for key, what in NOT_YET.items():
        if getattr(found, key) is not None:
            yield document.problem((key,), f"{key}: this version has no {what} yet", "leave the key out", key=True)
    yield from _of_roles(document, found.roles or [])
    yield from _of_addresses(document, found)
    yield from _of_slack(document, found.slack) if found.slack else ()
    yield from _of_model(document, found.model) if found.model else ()
    yield from _of_access(document, found.access)
    yield from alerting.problems(document, found.incidents)
    yield from holding.problems(document, found.maintenance)
    yield from webforms.problems(document, found.web, found.webhooks)
    if found.kubernetes.home and not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", found.kubernetes.home):
        yield document.problem(("kubernetes", "home"), "kubernetes.home: is no name of a namespace")
    yield from _of_connection(document, found.kubernetes.read, ("kubernetes", "read"))
    if found.kubernetes.write:
        yield from _of_connection(document, found.kubernetes.write, ("kubernetes", "write"))
    if found.limits.mode is Mode.ACT:
        yield document.problem(
            ("limits", "mode"), "limits.mode: this version does not act unasked", "observe or propose"
        )


def _of_roles(document: Document, roles: list[RoleModel]) -> Iterator[Problem]:
    names = [role.name for role in roles]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield document.problem(("roles", place, "name"), f"role {name[:60]!r} is there twice")
    missing = [skill.value for skill in Skill if roles and not any(skill in role.skills for role in roles)]
    needed = [skill for skill in missing if skill not in (Skill.ASK_MODEL, Skill.NOTIFY, Skill.RECEIVE_ALERTS)]
    if needed and document.whole(("roles",)):
        yield document.problem(
            ("roles",), f"no role has the skill {', '.join(needed)}", "its tasks would wait for ever"
        )


def _of_addresses(document: Document, found: FileModel) -> Iterator[Problem]:
    if found.prometheus:
        yield from _of_url(document, found.prometheus.url, ("prometheus", "url"))
        if found.prometheus.token_file and found.prometheus.basic:
            yield document.problem(("prometheus", "basic"), "prometheus: give token_file or basic, not both", key=True)
    if found.store and not found.store.url.startswith("sqlite:///"):
        yield document.problem(("store", "url"), "store.url: only sqlite:///PATH is supported")
    if found.queue.url != "embedded":
        yield document.problem(("queue", "url"), "queue.url: only 'embedded' is supported")
    if found.queue.order not in ("fifo", "weighted"):
        yield document.problem(("queue", "order"), "queue.order: write fifo or weighted")


_SLACK_IDS = (
    ("channel", "CG", "such as C012AB3CD: at the foot of the channel's details in Slack"),
    ("team", "TE", "such as T012AB3CD: in the address of Slack in a browser"),
    ("app", "A", "such as A012AB3CD: on the app's page, Basic Information"),
)


def _of_slack(document: Document, found: SlackModel) -> Iterator[Problem]:
    for name, letters, hint in _SLACK_IDS:
        if not re.fullmatch(f"[{letters}][A-Z0-9]{{2,20}}", getattr(found, name)):
            yield document.problem(("slack", name), f"slack.{name}: must be an id, not a name", hint)
    needed = {"socket": "app_token_file", "http": "signing_secret_file"}.get(found.mode)
    if needed is None:
        yield document.problem(("slack", "mode"), "slack.mode: write socket or http")
    elif getattr(found, needed) is None:
        yield document.problem(("slack",), f"slack: mode {found.mode} needs {needed}", key=True)
    host, colon, port = found.listen.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 65536):
        yield document.problem(("slack", "listen"), "slack.listen: write HOST:PORT", "for example 127.0.0.1:3000")
    yield from _of_url(document, found.api_url, ("slack", "api_url"))


def _of_model(document: Document, found: ModelModel) -> Iterator[Problem]:
    yield from _of_url(document, found.base_url, ("model", "base_url"))
    if found.ask not in ("unexplained", "always"):
        yield document.problem(("model", "ask"), "model.ask: write unexplained or always")


def _of_url(document: Document, url: str, where: Where) -> Iterator[Problem]:
    name = ".".join(str(step) for step in where)
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good, parts = False, None
    if not good:
        yield document.problem(where, f"{name}: is no http address", "for example http://prometheus:9090")
    elif parts and (parts.username or parts.password):
        yield document.problem(where, f"{name}: holds a password", "use basic: with password_file")


def _of_connection(document: Document, found: ConnectionModel, where: Where) -> Iterator[Problem]:
    name = ".".join(str(step) for step in where)
    if found.server:
        yield from _of_url(document, found.server, (*where, "server"))
        if not found.token_file:
            yield document.problem(where, f"{name}: a server needs a token_file", key=True)
    if found.context == "in-cluster" and (found.kubeconfig or found.server):
        yield document.problem(where, f"{name}: in-cluster needs neither kubeconfig nor server", key=True)
    if found.server and (found.kubeconfig or found.context):
        yield document.problem(where, f"{name}: give server and token_file, or kubeconfig and context", key=True)


def _of_access(document: Document, found: AccessModel) -> Iterator[Problem]:
    names = [person.name for person in found.people]
    for place, person in enumerate(found.people):
        for what in ("name", "os_user", "slack"):
            word = getattr(person, what)
            if word and word in [getattr(other, what) for other in found.people[:place]]:
                where: Where = ("access", "people", place, what)
                yield document.problem(where, f"{what} {word[:60]!r} belongs to two people", "a person is one")
    for group, members in found.groups.items():
        for place, member in enumerate(members):
            if member not in names:
                yield document.problem(
                    ("access", "groups", group, place), f"{member[:60]!r} is not among access.people"
                )
    yield from _of_permissions(document, found)


def _of_permissions(document: Document, found: AccessModel) -> Iterator[Problem]:
    for group, granted in found.permissions.items():
        where: Where = ("access", "permissions", group)
        if group != EVERYONE and group not in found.groups:
            yield document.problem(where, f"there is no group {group[:60]!r}", key=True)
        for place, word in enumerate(granted):
            if not _is_permission(word):
                known = f"known: {', '.join(PERMISSIONS)}, approve:*"
                yield document.problem((*where, place), f"{word[:60]!r} is no permission", known)
            elif group == EVERYONE and word != "read":
                hint = f"give {word!r} to a group"
                yield document.problem((*where, place), "everyone includes unknown people, who may only read", hint)


def _is_permission(word: str) -> bool:
    base, colon, rest = word.partition(":")
    return base in PERMISSIONS and (not colon or re.fullmatch(r"[a-z_*]+", rest) is not None)
