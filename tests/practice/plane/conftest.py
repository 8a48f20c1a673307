"""The programs of a real plane, and a plane on which the parts of opsbot have the rights that they state, no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.app.rights import rights
from opsbot.config import cache_folder
from opsbot.practice.plane import Accounts
from opsbot.practice.plane.rbac import rules_of
from opsbot.practice.plane.real import RealPlane, real
from opsbot.practice.processes import keeping
from opsbot.practice.recipes import PLANE, built
from tests.practice.plane.plane_world import silent


@pytest.fixture(scope="session")
def plane_cache() -> Path:
    """The cache in which the programs of a plane are. Where they are not built, these tests are skipped, loudly."""
    if built(PLANE, cache_folder()) is None:
        pytest.skip("NO REAL COMPONENT: `opsbot practice build plane` makes it")
    return cache_folder()


@pytest.fixture(scope="session")
def stated() -> Accounts:
    return {name: rules_of(granted) for name, granted in rights().items()}


@pytest.fixture(scope="module")
def plane(plane_cache: Path, stated: Accounts) -> Iterator[RealPlane]:
    with keeping() as keeper, real(plane_cache, stated, keeper, silent) as up:
        yield up
