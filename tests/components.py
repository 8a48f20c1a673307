"""The real components that tests may meet: what each is made of, and its version as the thing itself says it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

from opsbot.config import cache_folder
from opsbot.practice import golang, prometheus
from opsbot.practice.recipes import PLANE, PROMETHEUS, Recipe, built
from tests.contracts.alertmanager import debian as alertmanager
from tests.contracts.model import aimock
from tests.contracts.slack import emulate

SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")

PARTS: dict[str, tuple[str, ...]] = {"kubernetes": SERVERS}
"""What a test meets that names one thing made of several."""


def _prometheus() -> str:
    return prometheus.version(prometheus.find(cache_folder(), lambda _text: None))


def _go() -> str:
    found = golang.look(Path(shutil.which("go") or "go"), cache_folder())
    return found.release if found else "?"


def _built(recipe: Recipe, program: str, *words: str) -> str:
    """The version that a program of ours prints."""
    there = built(recipe, cache_folder())
    if there is None:
        return "?"
    command = [str(there / program), *(words or ("--version",))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"\bv?\d+\.\d+\.\d+\S*", done.stdout + done.stderr)
    return found[0] if found else "?"


VERSIONS: dict[str, Callable[[], str]] = {
    "prometheus": _prometheus,
    "prometheus 3": partial(_built, PROMETHEUS, "prometheus"),
    "promtool": partial(_built, PROMETHEUS, "promtool"),
    "alertmanager": lambda: alertmanager.version(cache_folder()),
    "aimock": aimock.version,
    "emulate": emulate.version,
    "go": _go,
    **{name: partial(_built, PLANE, name) for name in SERVERS},
    "kubectl": partial(_built, PLANE, "kubectl", "version", "--client"),
    "kubernetes client": lambda: metadata.version("kubernetes"),
}


def parts(name: str) -> tuple[str, ...]:
    """The components that `@pytest.mark.real(NAME)` claims to exercise; KeyError for a name that is none."""
    if name not in PARTS and name not in VERSIONS:
        raise KeyError(f"real({name!r}) is none of {', '.join([*PARTS, *VERSIONS])}")
    return PARTS.get(name, (name,))
