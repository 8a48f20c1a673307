"""The form of agent_config.yaml: strict text in, Config out, every problem at once with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from opsbot.config import alerting, holding, values, webforms
from opsbot.core.errors import Problem
from opsbot.core.task import Mode, Role, Skill
from opsbot.yamlfile import Document, Duration, Strict, Title, Where, fit, reading, sound

EVERYONE = "everyone"
NOT_YET = {"notify": "notifications by webhook"}
PERMISSIONS = ("read", "diagnose", "approve", "run", "close", "ack", "silence", "pause", "ask", "note")


def _enum(kind: type[Mode] | type[Skill]) -> BeforeValidator:
    def read(value: Any) -> Any:
        known = [str(item.value) for item in kind]
        if value not in known:
            raise ValueError(f"{str(value)[:40]!r} is none of {', '.join(known)}")
        return kind(value)

    return BeforeValidator(read)


Count = Annotated[int, Field(ge=1, le=1000)]
FilePath = Annotated[str, Field(min_length=1)]


class RoleModel(Strict):
    name: Title
    skills: list[Annotated[Skill, _enum(Skill)]]
    max_concurrency: Count
    lends: list[Annotated[Skill, _enum(Skill)]] = []


class BasicModel(Strict):
    username: str
    password_file: FilePath


class PrometheusModel(Strict):
    url: str
    every: Duration = timedelta(seconds=30)
    timeout: Duration = timedelta(seconds=10)
    token_file: FilePath | None = None
    basic: BasicModel | None = None
    ca_file: FilePath | None = None
    headers: dict[str, str] = {}
    external_labels: dict[str, str] = {}
    external_url: str = ""


class ConnectionModel(Strict):
    kubeconfig: FilePath | None = None
    context: str = ""
    server: str = ""
    token_file: FilePath | None = None
    ca_file: FilePath | None = None


class KubernetesModel(Strict):
    cluster: str = ""
    cluster_label: str = "cluster"
    namespaces: list[str] = []
    home: str = ""
    read: ConnectionModel = ConnectionModel()
    write: ConnectionModel | None = None
    timeout: Duration = timedelta(seconds=10)


class StoreModel(Strict):
    url: str


class QueueModel(Strict):
    url: str = "embedded"
    order: str = "weighted"
    weights: dict[str, Count] = {}


class PersonModel(Strict):
    name: Title
    os_user: str = ""
    slack: str = ""


class AccessModel(Strict):
    people: list[PersonModel] = []
    groups: dict[str, list[str]] = {}
    permissions: dict[str, list[str]] = {}


class LimitsModel(Strict):
    mode: Annotated[Mode, _enum(Mode)] = Mode.PROPOSE
    changes_per_hour: Annotated[int, Field(ge=0, le=10_000)] = 10
    never_touch: list[str] = ["kube-system"]
    cooldown: Duration = timedelta(minutes=30)
    blind_for: Duration = timedelta(minutes=15)


class SlackModel(Strict):
    channel: str
    team: str
    app: str
    bot_token_file: FilePath
    app_token_file: FilePath | None = None
    signing_secret_file: FilePath | None = None
    mode: str = "socket"
    listen: str = "127.0.0.1:3000"
    api_url: str = "https://slack.com/api/"


class BudgetModel(Strict):
    tokens_per_incident: Annotated[int, Field(ge=1000, le=1_000_000)] = 60_000
    usd_per_day: Annotated[float, Field(ge=0, le=10_000)] = 5.0
    usd_per_million_in: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    usd_per_million_out: Annotated[float, Field(ge=0, le=10_000)] = 0.0


class ModelModel(Strict):
    base_url: str
    name: Annotated[str, Field(min_length=1)]
    api_key_file: FilePath | None = None
    timeout: Duration = timedelta(seconds=60)
    budget: BudgetModel = BudgetModel()
    cache_for: Duration = timedelta(hours=1)
    ask: str = "unexplained"


class FileModel(Strict):
    roles: list[RoleModel] | None = None
    prometheus: PrometheusModel | None = None
    kubernetes: KubernetesModel = KubernetesModel()
    store: StoreModel | None = None
    queue: QueueModel = QueueModel()
    access: AccessModel = AccessModel()
    limits: LimitsModel = LimitsModel()
    disable: list[str] = []
    slack: SlackModel | None = None
    model: ModelModel | None = None
    incidents: alerting.IncidentsModel = alerting.IncidentsModel()
    maintenance: list[holding.WindowModel] = []
    web: webforms.WebModel | None = None
    webhooks: webforms.WebhooksModel = webforms.WebhooksModel()
    notify: Any = None


KEYS = tuple(FileModel.model_fields)


def read(text: str, path: Path) -> values.Config:
    """Read an agent_config.yaml; ConfigError with every problem in it."""
    with reading(text, str(path)) as document:
        good = sound(document, FileModel)
        if good:
            document.note(_problems(*good))
        found = fit(document, FileModel)
    return _config(found, path)


# what the model alone cannot say ------------------------------------------------------------------------------------


def _problems(document: Document, found: FileModel) -> Iterator[Problem]:
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


# into plain values --------------------------------------------------------------------------------------------------


def _config(found: FileModel, path: Path) -> values.Config:
    folder = path.parent
    roles = tuple(
        Role(role.name, tuple(role.skills), role.max_concurrency, tuple(role.lends)) for role in found.roles or []
    )
    return values.Config(
        folder=folder,
        file=path,
        roles=roles or values.ROLES,
        prometheus=_prometheus(found.prometheus, folder) if found.prometheus else None,
        kubernetes=_kubernetes(found.kubernetes, folder),
        store=found.store.url if found.store else "",
        queue=values.Queue(found.queue.order, found.queue.weights or values.Queue().weights),
        access=_people(found.access),
        limits=_limits(found.limits),
        slack=_slack(found.slack, folder) if found.slack else None,
        model=_model(found.model, folder) if found.model else None,
        disable=tuple(found.disable),
        incidents=alerting.incidents(found.incidents),
        maintenance=holding.windows(found.maintenance),
        web=webforms.web_of(found.web, folder) if found.web else None,
        webhooks=webforms.webhooks_of(found.webhooks),
    )


def _beside(folder: Path, name: str | None) -> Path | None:
    return folder / Path(name).expanduser() if name else None


def _prometheus(found: PrometheusModel, folder: Path) -> values.Prometheus:
    return values.Prometheus(
        url=found.url.rstrip("/"),
        every=found.every,
        timeout=found.timeout,
        token_file=_beside(folder, found.token_file),
        username=found.basic.username if found.basic else "",
        password_file=_beside(folder, found.basic.password_file) if found.basic else None,
        ca_file=_beside(folder, found.ca_file),
        headers=found.headers,
        external_labels=found.external_labels,
        external_url=found.external_url,
    )


def _connection(found: ConnectionModel, folder: Path) -> values.Connection:
    return values.Connection(
        kubeconfig=_beside(folder, found.kubeconfig),
        context="" if found.context == "in-cluster" else found.context,
        in_cluster=found.context == "in-cluster",
        server=found.server,
        token_file=_beside(folder, found.token_file),
        ca_file=_beside(folder, found.ca_file),
    )


def _kubernetes(found: KubernetesModel, folder: Path) -> values.Kubernetes:
    return values.Kubernetes(
        cluster=found.cluster,
        cluster_label=found.cluster_label,
        namespaces=tuple(found.namespaces),
        home=found.home,
        read=_connection(found.read, folder),
        write=_connection(found.write, folder) if found.write else None,
        timeout=found.timeout,
    )


def _slack(found: SlackModel, folder: Path) -> values.Slack:
    return values.Slack(
        channel=found.channel, team=found.team, app=found.app, bot_token_file=folder / found.bot_token_file,
        app_token_file=_beside(folder, found.app_token_file),
        signing_secret_file=_beside(folder, found.signing_secret_file),
        mode=found.mode, listen=found.listen, api_url=found.api_url,
    )  # fmt: skip


def _model(found: ModelModel, folder: Path) -> values.Model:
    return values.Model(
        base_url=found.base_url, name=found.name, api_key_file=_beside(folder, found.api_key_file),
        timeout=found.timeout, cache_for=found.cache_for, ask=found.ask, **found.budget.model_dump(),
    )  # fmt: skip


def _people(found: AccessModel) -> values.People:
    people = tuple(values.Person(p.name, p.os_user, p.slack) for p in found.people)
    permissions = {group: tuple(granted) for group, granted in found.permissions.items()}
    groups = {group: tuple(members) for group, members in found.groups.items()}
    return values.People(people, groups, {"everyone": ("read",), **permissions})


def _limits(found: LimitsModel) -> values.Limits:
    return values.Limits(found.mode, found.changes_per_hour, tuple(found.never_touch), found.cooldown, found.blind_for)
