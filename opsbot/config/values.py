"""All settings as frozen values, with safe defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opsbot.core.canonical import digest
from opsbot.core.silence import Window
from opsbot.core.task import Mode, Role, Skill


@dataclass(frozen=True, slots=True)
class Connection:
    """One way to a cluster: a kubeconfig and context, the pod's own account, or a server with a token."""

    kubeconfig: Path | None = None
    context: str = ""
    in_cluster: bool = False
    server: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """The cluster to read, and, where `write` is given, to change; `home` is the namespace of opsbot itself."""

    cluster: str = ""
    cluster_label: str = "cluster"
    namespaces: tuple[str, ...] = ()
    home: str = ""
    read: Connection = Connection()
    write: Connection | None = None
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where to ask for metrics, how often by default, and how to say who asks."""

    url: str
    every: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(seconds=10)
    token_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on all that opsbot does, whatever a playbook says."""

    mode: Mode = Mode.PROPOSE
    changes_per_hour: int = 10
    never_touch: tuple[str, ...] = ("kube-system",)
    cooldown: timedelta = timedelta(minutes=30)
    blind_for: timedelta = timedelta(minutes=15)

    @property
    def digest(self) -> str:
        """What a plan binds: with other limits it must be asked again."""
        return digest(self)


@dataclass(frozen=True, slots=True)
class Person:
    """One human, however they come in."""

    name: str
    os_user: str = ""
    slack: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Who there is, in which groups, and what the groups may do."""

    people: tuple[Person, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    permissions: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"everyone": ("read",)})


@dataclass(frozen=True, slots=True)
class Queue:
    """How waiting tasks are ordered."""

    order: str = "weighted"
    weights: Mapping[str, int] = field(default_factory=lambda: {"critical": 10, "warning": 3, "info": 1})


@dataclass(frozen=True, slots=True)
class Slack:
    """The workspace and the one channel. `listen` (host:port) is for HTTP mode; `api_url` for an emulator."""

    channel: str
    team: str
    app: str
    bot_token_file: Path
    app_token_file: Path | None = None
    signing_secret_file: Path | None = None
    mode: str = "socket"
    listen: str = "127.0.0.1:3000"
    api_url: str = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class Model:
    """A language model behind an OpenAI-compatible address, and what it may cost.

    Prices are US dollars for a million tokens; without them only tokens are capped. `ask` is `unexplained` (where no
    cause explains all that was found) or `always`.
    """

    base_url: str
    name: str
    api_key_file: Path | None = None
    timeout: timedelta = timedelta(seconds=60)
    tokens_per_incident: int = 60_000
    usd_per_day: float = 5.0
    usd_per_million_in: float = 0.0
    usd_per_million_out: float = 0.0
    cache_for: timedelta = timedelta(hours=1)
    ask: str = "unexplained"


@dataclass(frozen=True, slots=True)
class Incidents:
    """How alerts become incidents, and few of them.

    `group_by`: labels that group alerts without a target. A storm is more than `storm_above` new incidents within
    `storm_within`; further ones are folded once nothing new came for `debounce`, after `max_wait` at the latest. An
    incident that has refired `flaps` times within `flaps_within` stays open until it has been calm for `calm`. One of
    the `heartbeats` (names of alerts) that was seen and then not for `heartbeat_within` opens one of its own.
    """

    group_by: tuple[str, ...] = ()
    storm_above: int = 10
    storm_within: timedelta = timedelta(minutes=1)
    debounce: timedelta = timedelta(seconds=3)
    max_wait: timedelta = timedelta(seconds=10)
    flaps: int = 2
    flaps_within: timedelta = timedelta(hours=1)
    calm: timedelta = timedelta(minutes=10)
    heartbeats: tuple[str, ...] = ("Watchdog", "DeadMansSwitch")
    heartbeat_within: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Web:
    """The small server: webhooks, health and figures. `listen` is host:port; `token_file` holds the bearer token."""

    listen: str = "127.0.0.1:9095"
    token_file: Path | None = None
    most_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Generic:
    """Where the parts of an alert stand in the JSON of a sender that is no Alertmanager and no Grafana.

    `alerts` is the dotted path to the list of them; empty: the payload is one alert. The others may hold references
    into `alert` and `payload`; `firing` and `resolved` are the words that `status` may come to.
    """

    name: str
    status: str
    firing: tuple[str, ...]
    resolved: tuple[str, ...] = ()
    alerts: str = ""
    severity: str = ""
    starts_at: str = ""
    ends_at: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What is made of pushed alerts; labels in `identity_ignores` do not tell alerts apart.

    `generic` holds the senders of other JSON, by the last part of their path.
    """

    identity_ignores: tuple[str, ...] = ("prometheus", "prometheus_replica")
    generic: Mapping[str, Generic] = field(default_factory=dict)


ROLES = (
    Role("monitor", (Skill.POLL_ALERTS, Skill.RECEIVE_ALERTS), 1),
    Role("diagnostic", (Skill.COLLECT_EVIDENCE, Skill.MATCH_RULES, Skill.ASK_MODEL), 4, (Skill.REPORT,)),
    Role("remediation", (Skill.PLAN, Skill.RUN_PLAYBOOK, Skill.VERIFY), 2),
    Role("reporter", (Skill.NOTIFY, Skill.REPORT), 2, (Skill.COLLECT_EVIDENCE, Skill.MATCH_RULES)),
)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. `folder` is what relative paths count from; `file` is None where defaults are in force."""

    folder: Path
    file: Path | None = None
    roles: tuple[Role, ...] = ROLES
    prometheus: Prometheus | None = None
    kubernetes: Kubernetes = Kubernetes()
    store: str = ""
    queue: Queue = Queue()
    access: People = People()
    limits: Limits = Limits()
    slack: Slack | None = None
    model: Model | None = None
    disable: tuple[str, ...] = ()
    incidents: Incidents = Incidents()
    maintenance: tuple[Window, ...] = ()
    web: Web | None = None
    webhooks: Webhooks = Webhooks()

    @property
    def mode(self) -> tuple[Mode, str]:
        """What opsbot does on its own here, and why."""
        if self.limits.mode is Mode.OBSERVE:
            return Mode.OBSERVE, "limits.mode says so"
        if self.kubernetes.write is None:
            return Mode.OBSERVE, "kubernetes.write is not given, so nothing can be changed"
        return self.limits.mode, "kubernetes.write is given, and every plan waits for a human"

    @property
    def alerts_file(self) -> Path:
        """The user's alerts.yaml, there or not."""
        return self.folder / "alerts.yaml"

    def data_files(self, kind: str) -> list[tuple[Path, bool]]:
        """The files of `rules` or `playbooks`, in order; true beside those that ship with opsbot."""
        shipped, own = shipped_folder() / kind, self.folder / kind
        found = [(path, True) for path in _yaml_files(shipped)]
        return found if own.resolve() == shipped.resolve() else found + [(path, False) for path in _yaml_files(own)]


def _yaml_files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def shipped_folder() -> Path:
    """Where the rules and playbooks lie that come with opsbot: in the wheel, or in the checkout beside the package."""
    package = Path(__file__).parent.parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent
