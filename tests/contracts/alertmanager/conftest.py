"""A real Alertmanager for the session; where it cannot be had its tests are skipped, and the end of the run says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.config import cache_folder
from opsbot.core.errors import PermanentError
from opsbot.practice.recipes import PROMETHEUS, built
from tests.contracts.alertmanager import debian
from tests.contracts.alertmanager.debian import Alertmanager

NOBODY = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture(scope="session")
def alertmanager_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return debian.runnable(cache_folder(), tmp_path_factory.mktemp("alertmanager"))
    except PermanentError as error:
        pytest.skip(f"NO REAL COMPONENT: {error}")


@pytest.fixture
def alertmanager(alertmanager_program: Path, tmp_path: Path) -> Iterator[Alertmanager]:
    """One that tells nobody."""
    with debian.running(alertmanager_program, NOBODY, tmp_path / "am") as made:
        yield made


@pytest.fixture(scope="session")
def built_program() -> Path:
    """The Prometheus that `opsbot practice build` has built."""
    there = built(PROMETHEUS, cache_folder())
    if there is None:
        pytest.fail(f"Prometheus {PROMETHEUS.version} is not built: run `opsbot practice build`", pytrace=False)
    return there / "prometheus"


DEBIANS = pytest.param("prometheus_program", marks=pytest.mark.real("prometheus"), id="debian")
BUILT = pytest.param("built_program", marks=[pytest.mark.real("prometheus 3"), pytest.mark.plane], id="built")


@pytest.fixture(params=[DEBIANS, BUILT])
def a_program(request: pytest.FixtureRequest) -> Path:
    """Each of the real Prometheus programs."""
    found: Path = request.getfixturevalue(request.param)
    return found
