"""What the scene writes for opsbot, read back by opsbot's own parsers, at home and in a namespace of another name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsbot import config as settings
from opsbot.cli.demo import _abroad
from opsbot.lab import library
from opsbot.practice import scene

HOME, ABROAD = scene.AT_HOME, _abroad("opsbot-demo")


def written(folder: Path, site: scene.Site) -> settings.Config:
    """As a ground writes it."""
    (folder / settings.NAME).write_text(scene.agent_config("http://127.0.0.1:9", "ana", "sqlite:///opsbot.db", site))
    (folder / "alerts.yaml").write_text(scene.alerts(site))
    (folder / "playbooks").mkdir()
    for name, text in site.playbooks.items():
        (folder / "playbooks" / name).write_text(text)
    return settings.load(str(folder / settings.NAME))


@pytest.mark.parametrize(("site", "namespace"), [
    pytest.param(HOME, "agents", id="home"),
    *(pytest.param(_abroad(name), name, id=name) for name in ("opsbot-demo", "123", "on", "1e5", "null", "0x1f")),
])  # fmt: skip
def test_watched_and_touched_is_the_namespace_of_the_site(tmp_path: Path, site: scene.Site, namespace: str) -> None:
    config = written(tmp_path, site)
    playbooks = library.playbooks(config)
    (alert,) = library.alerts(config, playbooks)
    assert config.kubernetes.namespaces == (namespace,)
    assert alert.target is not None
    assert namespace in str(alert.target)
    assert playbooks["scale_up_agents"].guardrails.namespaces == (namespace,)
    assert alert.actions == ("scale_up_agents",)


def test_only_the_namespace_of_the_playbook_differs() -> None:
    shipped = (settings.shipped_folder() / "playbooks" / scene.PLAYBOOK).read_text("utf-8").splitlines()
    own = ABROAD.playbooks[scene.PLAYBOOK].splitlines()
    differ = [(one, other) for one, other in zip(shipped, own, strict=True) if one != other]
    assert differ == [("  namespaces: [agents]", '  namespaces: ["opsbot-demo"]')]


def objects(site: scene.Site) -> dict[str, dict[str, Any]]:
    return {obj["kind"]: obj for obj in scene.objects(site)}


@pytest.mark.parametrize("site", [HOME, ABROAD], ids=["home", "abroad"])
def test_objects_lie_in_the_namespace_and_fit_three_small_nodes(site: scene.Site) -> None:
    found = objects(site)
    assert found["Namespace"]["metadata"]["name"] == site.namespace
    assert {obj["metadata"].get("namespace", site.namespace) for obj in found.values()} == {site.namespace}
    spec = found["Deployment"]["spec"]
    (worker,) = spec["template"]["spec"]["containers"]
    assert worker["image"] == site.image
    assert worker["resources"]["requests"] == {"cpu": "250m", "memory": "256Mi"}
    assert spec["replicas"] == scene.REPLICAS
