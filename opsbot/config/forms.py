"""The form of agent_config.yaml, section by section; what a form cannot say stands in `problems`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from opsbot.config import alerting, holding, webforms
from opsbot.core.task import Mode, Skill
from opsbot.yamlfile import Duration, Strict, Title


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
