"""For all tests: no network beyond loopback, no setting of the user's, and a count of what real components were met."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts

from opsbot.config import cache_folder
from opsbot.core.errors import PermanentError
from opsbot.practice import prometheus
from tests.components import VERSIONS, parts

LOOPBACK = ["127.0.0.1", "::1"]
MISLEADING = ("OPSBOT_", "KUBE", "NO_COLOR", "FORCE_COLOR", "http_proxy", "https_proxy", "all_proxy")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    for marker in item.iter_markers("real"):
        for name in marker.args:
            item.user_properties.extend(("real", part) for part in parts(name))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("leaves_sockets"):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What such a client has left is collected while the filter of its test holds, and not in another test."""
    if not item.get_closest_marker("leaves_sockets"):
        return (yield)
    gc.freeze()  # what was there before needs no look, which would take longer than most tests
    done = yield
    gc.collect()
    gc.unfreeze()
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Captured text may hold what no UTF-8 can (half of a surrogate pair); reports travel between processes."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests see no setting of whoever runs them, and no cluster or config of theirs."""
    for name in os.environ:
        if name.lower().startswith(tuple(word.lower() for word in MISLEADING)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path_factory.getbasetemp() / "no-kubeconfig"))


@pytest.fixture(scope="session")
def prometheus_program() -> Path:
    """The real Prometheus. Where it cannot be had, its tests are skipped, and the end of the run says so loudly."""
    try:
        return prometheus.find(cache_folder(), lambda _text: None)
    except PermanentError as error:
        pytest.skip(f"NO REAL COMPONENT: {error}")


@pytest.fixture
def cache() -> Path:
    """Where downloads are kept."""
    return cache_folder()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    met, missed = set(_real(terminalreporter, "passed")), set(_real(terminalreporter, "skipped"))
    if met:
        versions = ", ".join(f"{name} {VERSIONS[name]()}" for name in sorted(met))
        terminalreporter.write_line(f"real components exercised: {versions}", green=True)
    if missed - met:
        terminalreporter.write_line(
            f"REAL COMPONENTS NOT EXERCISED: {', '.join(sorted(missed - met))}", red=True, bold=True
        )


def _real(reporter: pytest.TerminalReporter, outcome: str) -> Iterator[str]:
    for report in reporter.stats.get(outcome, ()):
        yield from (name for key, name in getattr(report, "user_properties", ()) if key == "real")
