"""What is built from Go modules, and how: values in, the folder where it is kept and whether it is whole out.

A folder in the cache belongs to one recipe in one version: its name holds a hash of all that decides what comes out.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from opsbot.practice.golang import Version, parse

HERE = Path(__file__).parent
WHOLE = "whole.json"
"""Beside the programs: how many bytes each one had when it was finished."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program: its name, and the package that it is built from, as an import path or below Go's own sources."""

    name: str
    package: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Programs that one go.mod pins; `module` is its greatest module, `megabytes` all that a first build fills."""

    name: str
    version: str
    folder: Path
    module: str
    programs: tuple[Program, ...]
    flags: tuple[str, ...]
    megabytes: int
    minutes: int

    @property
    def needs(self) -> Version:
        """The oldest Go that will do, as the go.mod says."""
        found = re.search(r"^go (\S+)$", (self.folder / "go.mod").read_text(), re.MULTILINE)
        version = parse(found[1]) if found else None
        assert version
        return version

    def home(self, cache: Path) -> Path:
        """Where it is kept."""
        files = [(self.folder / name).read_text() for name in ("go.mod", "go.sum")]
        parts = [*files, *self.flags, *(program.package for program in self.programs), sys.platform, platform.machine()]
        return cache / f"{self.name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def built(recipe: Recipe, cache: Path) -> Path | None:
    """The folder of its programs, if all are there and whole."""
    return None if missing(recipe, cache) else recipe.home(cache) / "bin"


def missing(recipe: Recipe, cache: Path) -> list[Program]:
    """Its programs that are not there, or not whole."""
    home = recipe.home(cache)
    sizes = finished(home)
    return [program for program in recipe.programs if not _is_whole(home / "bin" / program.name, sizes)]


def _is_whole(file: Path, sizes: dict[str, int]) -> bool:
    try:
        return file.stat().st_size == sizes.get(file.name) and os.access(file, os.X_OK)
    except OSError:
        return False


def finished(home: Path) -> dict[str, int]:
    """How many bytes each finished program has; none where nothing is known."""
    try:
        sizes = json.loads((home / WHOLE).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): size for name, size in sizes.items()} if isinstance(sizes, dict) else {}


def others(recipe: Recipe, cache: Path) -> list[Path]:
    """Folders of the same name that belong to another version of the recipe."""
    alike = re.compile(rf"{re.escape(recipe.name)}-[0-9a-f]{{12}}")
    found = (place for place in cache.glob(f"{recipe.name}-*") if alike.fullmatch(place.name) and place.is_dir())
    return sorted(place for place in found if place != recipe.home(cache))


KUBERNETES = "1.36.3"
_GIT = "k8s.io/component-base/version.git"
PLANE = Recipe(
    name="plane",
    version=f"Kubernetes {KUBERNETES}, etcd 3.6.11, kwok 0.8.0",
    folder=HERE / "plane",
    module=f"k8s.io/kubernetes@v{KUBERNETES}",
    programs=(
        Program("etcd", "go.etcd.io/etcd/server/v3"),
        Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
        Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
        Program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
        Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        Program("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
        Program("generate_cert", "crypto/tls/generate_cert.go"),
    ),
    # Without these the servers call themselves v0.0.0 (k8s.io/component-base/version/base.go).
    flags=(
        f"-ldflags=-s -w -X {_GIT}Version=v{KUBERNETES} -X {_GIT}Major=1 -X {_GIT}Minor={KUBERNETES.split('.')[1]}",
    ),
    megabytes=4500,
    minutes=7,
)
"""A control plane, and what makes its certificate: generate_cert, a source file of Go's own that is in no package."""

PROMETHEUS = Recipe(
    name="prometheus",
    version="Prometheus 3.13.5",
    folder=HERE / "prometheus",
    module="github.com/prometheus/prometheus@v0.313.5",
    programs=(
        Program("prometheus", "github.com/prometheus/prometheus/cmd/prometheus"),
        Program("promtool", "github.com/prometheus/prometheus/cmd/promtool"),
    ),
    # Service discovery for clouds is left out: it is most of the code, and loopback needs none of it.
    flags=("-tags=remove_all_sd", "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.13.5"),
    megabytes=2500,
    minutes=4,
)
"""Prometheus and promtool. The module of version 3.13.5 is called v0.313.5."""
