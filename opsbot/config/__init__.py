"""Files and environment in, one frozen Config out.

Looked for in this order: the file that was named, `OPSBOT_CONFIG`, `./agent_config.yaml`, defaults. Relative paths
count from that file's folder, and `alerts.yaml`, `rules/` and `playbooks/` beside it are the user's own.
"""

from __future__ import annotations

from pathlib import Path

from opsbot.config.environment import NAME, cache_folder, find, kubeconfig, os_user, plain_output, pod_namespace
from opsbot.config.values import (
    ROLES,
    Config,
    Connection,
    Generic,
    Incidents,
    Kubernetes,
    Limits,
    Model,
    People,
    Person,
    Prometheus,
    Queue,
    Slack,
    Web,
    Webhooks,
    shipped_folder,
)  # fmt: skip

__all__ = [
    "NAME", "ROLES", "Config", "Connection", "Generic", "Incidents", "Kubernetes", "Limits", "Model", "People",
    "Person", "Prometheus", "Queue", "Slack", "Web", "Webhooks",
    "cache_folder", "find", "home", "kubeconfig", "load", "os_user", "plain_output", "shipped_folder", "store_url",
]  # fmt: skip


def load(named: str | None = None) -> Config:
    """The config in force; ConfigError with every problem of the file."""
    path = find(named)
    if path is None:
        return Config(folder=Path())
    from opsbot.config.file import read
    from opsbot.yamlfile import read_text

    return read(read_text(path), path)


def home(config: Config) -> str:
    """The namespace that opsbot itself runs in: as config says, or, read from inside the cluster, as the pod knows."""
    found = config.kubernetes
    return found.home or (pod_namespace() if found.read.in_cluster else "")


def store_url(config: Config) -> str:
    """The store's address, a SQLite path made absolute from the config's folder."""
    path = (config.store or "sqlite:///opsbot.db").removeprefix("sqlite:///")
    return f"sqlite:///{(config.folder / path).resolve()}"
