"""The same calls to two servers that say they are Slack's Web API: ours, and npm's `emulate`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from slack_sdk import WebClient

from opsbot.config import cache_folder
from opsbot.core.errors import PermanentError
from opsbot.testing.slack import FakeSlack
from tests.contracts.slack import emulate


@dataclass(frozen=True)
class Workspace:
    """Where to call, as whom, and who and what is there."""

    client: WebClient
    nobody: WebClient
    channel: str
    person: str


@pytest.fixture(scope="session")
def emulate_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real emulator. Where it cannot be had, its tests are skipped, and the end of the run says so loudly."""
    try:
        node, folder = emulate.install(cache_folder())
    except PermanentError as error:
        pytest.skip(f"NO REAL COMPONENT: {error}")
    with emulate.running(node, folder, tmp_path_factory.mktemp("emulate") / "log") as url:
        yield url


@pytest.fixture
def fake_space() -> Iterator[Workspace]:
    slack = FakeSlack()
    slack.person("U1", "ada")
    with slack.serve() as url:
        client = WebClient(slack.bot_token, base_url=f"{url}/api/")
        yield Workspace(client, WebClient(base_url=f"{url}/api/"), slack.channel, "U1")


@pytest.fixture
def emulate_space(emulate_url: str) -> Workspace:
    client = WebClient("xoxb-contract", base_url=f"{emulate_url}/api/")
    channels = {one["name"]: one["id"] for one in client.conversations_list()["channels"]}
    people = {one["name"]: one["id"] for one in client.users_list()["members"]}
    nobody = WebClient(base_url=f"{emulate_url}/api/")
    return Workspace(client, nobody, channels["incidents"], people["ada"])


@pytest.fixture(params=["fake", pytest.param("emulate", marks=pytest.mark.real("emulate"))])
def space(request: pytest.FixtureRequest) -> Workspace:
    found: Workspace = request.getfixturevalue(f"{request.param}_space")
    return found
