"""A server and the tokens of its accounts in, a kubeconfig with a context for each account out; and back.

It is written as JSON, which is YAML too, and for its owner alone. The server's certificate is named by its file:
clients that get it as data leave copies of it behind when they are killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CLUSTER = "practice"


@dataclass(frozen=True, slots=True)
class Access:
    """How one account reaches the server; `ca_file` is empty where it speaks plain HTTP."""

    server: str
    token: str
    ca_file: str = ""


def write(file: Path, server: str, tokens: Mapping[str, str], *, ca_file: str = "", namespace: str = "") -> None:
    """Write a kubeconfig with one context for each account; the first one is in force."""
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text(text(server, tokens, ca_file, namespace))


def text(server: str, tokens: Mapping[str, str], ca_file: str = "", namespace: str = "") -> str:
    """The text of a kubeconfig."""
    cluster = {"server": server} | ({"certificate-authority": ca_file} if ca_file else {})
    inside = {"namespace": namespace} if namespace else {}
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": next(iter(tokens)),
        "clusters": [{"name": CLUSTER, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [{"name": name, "context": {"cluster": CLUSTER, "user": name, **inside}} for name in tokens],
    }, indent=2)  # fmt: skip


def read(file: Path, account: str) -> Access:
    """What `write` wrote for an account; OSError, or ValueError for a file that is not one of ours."""
    found = json.loads(file.read_text())
    try:
        cluster = found["clusters"][0]["cluster"]
        tokens = {user["name"]: user["user"]["token"] for user in found["users"]}
        return Access(cluster["server"], tokens[account], cluster.get("certificate-authority", ""))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"there is no account {account!r} in it") from error
