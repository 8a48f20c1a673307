from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from opsbot.kube.session import Connection, connect
from opsbot.practice.plane import kubeconfig
from opsbot.practice.plane.kubeconfig import Access

TOKENS = {"admin": "a-token", "reader": "r-token"}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    kubeconfig.write(file, "https://127.0.0.1:1", TOKENS, ca_file="/place/ca.pem")
    assert kubeconfig.read(file, "reader") == Access("https://127.0.0.1:1", "r-token", "/place/ca.pem")
    assert kubeconfig.read(file, "admin").token == "a-token"
    with pytest.raises(ValueError, match="no account 'writer'"):
        kubeconfig.read(file, "writer")


def test_it_is_yaml_with_the_first_account_in_force() -> None:
    found = yaml.safe_load(kubeconfig.text("http://127.0.0.1:1", TOKENS, namespace="agents"))
    assert found["current-context"] == "admin"
    assert [(one["name"], one["context"]["user"], one["context"]["namespace"]) for one in found["contexts"]] == [
        ("admin", "admin", "agents"), ("reader", "reader", "agents"),
    ]  # fmt: skip
    assert "certificate-authority" not in found["clusters"][0]["cluster"]


@pytest.mark.parametrize("before", [None, 0o644, 0o400], ids=["new", "readable by all before", "read-only before"])
def test_it_is_for_its_owner_alone(tmp_path: Path, before: int | None) -> None:
    file = tmp_path / "kubeconfig"
    if before:
        file.write_text("{}")
        file.chmod(before)
    kubeconfig.write(file, "http://127.0.0.1:1", TOKENS)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "a-token" in file.read_text()


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", json.dumps({"clusters": [], "users": []})])
def test_another_file_is_no_access(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"no account 'reader'|Expecting value"):
        kubeconfig.read(file, "reader")


@pytest.mark.real("kubernetes client")
@pytest.mark.parametrize("account", TOKENS)
def test_the_official_client_takes_it(tmp_path: Path, account: str) -> None:
    file = tmp_path / "kubeconfig"
    kubeconfig.write(file, "http://127.0.0.1:1", TOKENS)
    api = connect(Connection(kubeconfig=str(file), context=account))
    assert api.configuration.host == "http://127.0.0.1:1"
    assert api.configuration.api_key["BearerToken"] == f"Bearer {TOKENS[account]}"
