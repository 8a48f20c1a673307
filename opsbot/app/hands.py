"""Everything that reaches outside, made from config: store, cluster (two accounts), Prometheus, clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsbot import config as settings
from opsbot.config import Config
from opsbot.core.errors import PermanentError
from opsbot.core.ports import Clock, ClusterReader, ClusterWriter, Metrics, Model, Store
from opsbot.lab import library


def clock() -> datetime:
    """The time now, aware UTC: the one place where it is read."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hands:
    """What reaches outside. None where config gives no way there."""

    store: Store
    reader: ClusterReader
    writer: ClusterWriter | None
    metrics: Metrics | None
    model: Model | None = None
    clock: Clock = clock


def connect(config: Config) -> Hands:
    """Make all hands; PermanentError or ConfigError for what cannot work at all. The store is made last."""
    library.needed(config)
    outside = reader(config), writer(config), metrics(config)
    kept = store(config, create=True)
    return Hands(kept, *outside, model(config, kept))


def store(config: Config, *, create: bool, write: bool = True) -> Store:
    """The store that config names; PermanentError where it is not there and may not be made."""
    from opsbot.store import open_store

    return open_store(settings.store_url(config), clock(), create=create, write=write)


def reader(config: Config) -> ClusterReader:
    """The cluster under the read account."""
    from opsbot.kube.read import KubeReader

    return KubeReader(_session(config.kubernetes.read))


def writer(config: Config) -> ClusterWriter | None:
    """The cluster under the write account, where config gives one."""
    if config.kubernetes.write is None:
        return None
    from opsbot.kube.write import KubeWriter

    return KubeWriter(_session(config.kubernetes.write))


def write_account(config: Config) -> ClusterReader | None:
    """What the write account may do, asked under that account; None where config gives none."""
    if config.kubernetes.write is None:
        return None
    from opsbot.kube.read import KubeReader

    return KubeReader(_session(config.kubernetes.write))


def _session(way: settings.Connection) -> object:
    from opsbot.kube import session

    named = way.kubeconfig or (None if way.server or way.in_cluster else settings.kubeconfig())
    found: object = session.connect(
        session.Connection(
            kubeconfig=_text(named), context=way.context, server=way.server, token_file=_text(way.token_file),
            ca_file=_text(way.ca_file), in_cluster=way.in_cluster,
        )
    )  # fmt: skip
    return found


def _text(path: Path | None) -> str:
    return str(path) if path else ""


def metrics(config: Config) -> Metrics | None:
    """Prometheus, where config gives its address."""
    if config.prometheus is None:
        return None
    from opsbot.prometheus import PrometheusClient

    return PrometheusClient(config.prometheus)


def warm_up(config: Config) -> threading.Thread | None:
    """Load in the background what the first question to a model would wait for; None where none is configured."""
    if config.model is None:
        return None
    from opsbot.llm.client import warm

    thread = threading.Thread(target=warm, args=(config.model,), daemon=True, name="model warm-up")
    thread.start()
    return thread


def model(config: Config, kept: Store | None) -> Model | None:
    """The language model, where config names one; its budget and answers are kept in the store, where there is one."""
    if config.model is None:
        return None
    from opsbot.llm.client import connect as connect_model

    return connect_model(config.model, kept, clock)


def model_check(config: Config, timeout: float) -> str:
    """A sentence on the model that config names, asked for nothing that costs; Blind where it cannot be had."""
    from opsbot.llm.client import ChatModel, warm

    if config.model is None:
        raise PermanentError("model is not given")
    warm(config.model)  # what this process loads must not count against the server
    return ChatModel(config.model).check(timeout)
