"""agent_config.yaml: strict text in, Config out, every problem at once with its place."""

from __future__ import annotations

from pathlib import Path

from opsbot.config import alerting, holding, values, webforms
from opsbot.config.forms import (
    AccessModel,
    ConnectionModel,
    FileModel,
    KubernetesModel,
    LimitsModel,
    ModelModel,
    PrometheusModel,
    SlackModel,
)
from opsbot.config.problems import problems
from opsbot.core.task import Role
from opsbot.yamlfile import fit, reading, sound

KEYS = tuple(FileModel.model_fields)


def read(text: str, path: Path) -> values.Config:
    """Read an agent_config.yaml; ConfigError with every problem in it."""
    with reading(text, str(path)) as document:
        good = sound(document, FileModel)
        if good:
            document.note(problems(*good))
        found = fit(document, FileModel)
    return _config(found, path)


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
