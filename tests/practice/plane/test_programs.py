from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from opsbot.core.errors import PermanentError
from opsbot.practice.keeper import PORT
from opsbot.practice.plane import programs

FOLDER, BIN = Path("/ground"), Path("/cache/bin")
MAKERS: dict[str, Callable[[Path, Path], list[str]]] = {
    "etcd": programs.etcd, "kube-apiserver": programs.apiserver, "kube-controller-manager": programs.controllers,
    "kube-scheduler": programs.scheduler, "kwok": programs.kwok,
}  # fmt: skip


def flags(words: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--") and "=" in word)


@pytest.mark.parametrize("name", MAKERS)
def test_a_program_sees_nothing_of_its_users_environment(name: str) -> None:
    words = MAKERS[name](FOLDER, BIN)
    assert words[:4] == ["env", "-i", "HOME=/ground", "PATH=/usr/bin:/bin"]
    assert words[4] == f"/cache/bin/{name}"


@pytest.mark.parametrize("name", MAKERS)
def test_a_program_listens_on_loopback_alone(name: str) -> None:
    given = flags(MAKERS[name](FOLDER, BIN))
    addresses = [value for flag, value in given.items() if "address" in flag or "urls" in flag or flag.endswith("-ip")]
    assert addresses
    assert all(re.match(r"127\.0\.0\.1|unix://|InternalIP", value) for value in addresses), addresses


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "etcd"])
def test_its_port_is_whichever_is_free(name: str) -> None:
    given = flags(MAKERS[name](FOLDER, BIN))
    ports = [value for flag, value in given.items() if flag.endswith("port") or flag == "server-address"]
    assert ports
    assert all(value in (PORT, f"127.0.0.1:{PORT}") for value in ports)


@pytest.mark.parametrize("name", MAKERS)
def test_what_it_writes_is_in_the_folder(name: str) -> None:
    """Programs run in the folder, and name no other place."""
    given = flags(MAKERS[name](FOLDER, BIN))
    places = [value for flag, value in given.items() if re.search(r"(file|path|dir|kubeconfig)$", flag)]
    assert places
    assert [value for value in places if "/" in value or ".." in value] == []


def test_the_api_server_decides_by_rbac_and_knows_everybody() -> None:
    given = flags(programs.apiserver(FOLDER, BIN))
    assert given["authorization-mode"].split(",")[0] == "RBAC"
    assert "AlwaysAllow" not in given["authorization-mode"]
    assert given["anonymous-auth"] == "false"


def test_kwok_runs_no_local_program_and_is_given_all_stages() -> None:
    words = programs.kwok(FOLDER, BIN)
    files = [Path(words[place + 1]) for place, word in enumerate(words) if word == "--config"]
    assert files == sorted(programs.STAGES.glob("*.yaml"))
    assert files
    kinds = {made["kind"] for file in files for made in yaml.safe_load_all(file.read_text())}
    assert kinds == {"Stage"}, "an Exec would run programs of this machine"
    assert flags(words)["enable-crds"].split(",") == list(programs.LOGS_OF_PODS)


def test_tokens_are_a_table_that_survives_any_group() -> None:
    text = programs.tokens_file({"admin": "t1", "reader": "t2"}, {"admin": "system:masters"})
    assert list(csv.reader(io.StringIO(text))) == [["t1", "admin", "0", "system:masters"], ["t2", "reader", "1", ""]]


def test_the_audit_policy_hears_writes_of_all_but_the_plane_itself() -> None:
    rules = json.loads(programs.audit_policy(["reader", "writer"], ["kwok"]))["rules"]
    silent = [rule for rule in rules[:-1] if rule["level"] == "None"]
    assert {user for rule in silent for user in rule.get("users", ())} == {"kwok"}
    place = next(number for number, rule in enumerate(rules) if "patch" in rule.get("verbs", ()))
    assert rules[place]["level"] == "Request"
    assert set(rules[place]) == {"level", "verbs"}, "whoever it is and whatever it is about"
    assert rules[place + 1] == {"level": "Metadata", "users": ["reader", "writer"]}
    assert rules[-1] == {"level": "None"}


# the certificate ----------------------------------------------------------------------------------------------------


def maker(folder: Path, text: str) -> Path:
    program = folder / "generate_cert"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return folder


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    programs.certify(tmp_path, maker(tmp_path, "umask 022; echo cert > cert.pem; echo key > key.pem; echo $* > words"))
    assert stat.S_IMODE((tmp_path / programs.KEY).stat().st_mode) == 0o600
    assert "--host=127.0.0.1,localhost," in (tmp_path / "words").read_text()


@pytest.mark.parametrize(("text", "words"), [
    pytest.param("echo 'failed: no space left on device' >&2; exit 1", "no space left on device", id="with words"),
    pytest.param("exit 3", "3", id="without a word"),
])  # fmt: skip
def test_a_certificate_that_cannot_be_made(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PermanentError, match=f"no certificate can be made for the plane: .*{words}"):
        programs.certify(tmp_path, maker(tmp_path, text))
