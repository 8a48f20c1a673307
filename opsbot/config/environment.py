"""What the environment says: the only reader of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from opsbot.core.errors import ConfigError, Problem

NAME = "agent_config.yaml"
# Where every pod with a service account finds its own namespace:
# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def find(named: str | None) -> Path | None:
    """The config file in force, or None for defaults; ConfigError where the named one is not there."""
    word = named or os.environ.get("OPSBOT_CONFIG")
    if word:
        path = Path(word)
        if not path.is_file():
            origin = "" if named else " (named by OPSBOT_CONFIG)"
            raise ConfigError([Problem(word, 0, 0, f"there is no such config file{origin}")])
        return path
    here = Path(NAME)
    return here if here.is_file() else None


def kubeconfig() -> Path:
    """The kubeconfig that kubectl would use: the first of `KUBECONFIG`, else `~/.kube/config`."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def pod_namespace() -> str:
    """The namespace of the pod that this runs in; empty where it runs in none."""
    try:
        return POD_NAMESPACE.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def cache_folder() -> Path:
    """Where downloads and builds are kept, outside every tree: `$XDG_CACHE_HOME/opsbot`, else `~/.cache/opsbot`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if base.startswith("/") else _home() / ".cache"
    return home / "opsbot"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir())


def plain_output() -> bool:
    """Whether colours are unwelcome (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def os_user() -> str:
    """The login name of who runs this process, from the system's own table, not from the environment."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
