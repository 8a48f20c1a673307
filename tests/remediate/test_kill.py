"""A process that is killed (-9) while the API server holds its write, and another that goes on: one change, no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opsbot.core.incident import State
from opsbot.kube.read import KubeReader
from opsbot.kube.write import KubeWriter
from opsbot.store import open_store
from opsbot.testing.cluster import Request, Response
from tests.remediate.remediation_world import World

CHILD = """
import sys
from datetime import datetime
from opsbot.config import Limits
from opsbot.core.task import Mode, Skill, next_skills
from opsbot.kube.read import KubeReader
from opsbot.kube.session import Connection, connect
from opsbot.kube.write import KubeWriter
from opsbot.remediate.agent import RemediationAgent
from opsbot.remediate.means import Means
from opsbot.store import open_store
from tests.remediate.remediation_world import people, shipped

store_url, cluster_url, tokens, incident, at = sys.argv[1:]
now = datetime.fromisoformat(at)
store = open_store(store_url, now)
api = {name: connect(Connection(server=cluster_url, token_file=f"{tokens}/{name}")) for name in ("reader", "writer")}
playbook = shipped()
agent = RemediationAgent(Means(
    store=store, playbooks={playbook.name: playbook}, limits=Limits(), access=people("Ana"), mode=Mode.PROPOSE,
    cluster="", nonce=lambda: "n", reader=KubeReader(api["reader"]), writer=KubeWriter(api["writer"]),
))
while Skill.RUN_PLAYBOOK in next_skills(found := store.load(int(incident)), now, Mode.PROPOSE):
    agent.run_playbook(found, now)
"""


@pytest.mark.parametrize("applied", [False, True], ids=["before it is applied", "after it was applied"])
def test_killed_during_a_write(tmp_path: Path, applied: bool) -> None:
    world = World()
    url = f"sqlite:///{tmp_path / 'ops.db'}"
    world.store = open_store(url, world.clock())
    world.deploy()
    world.approved()
    for name in ("reader", "writer"):
        (tmp_path / name).write_text(world.cluster.token(name))

    children: list[subprocess.Popen[bytes]] = []
    handle = world.cluster.handle

    def killing(request: Request) -> Response:
        real = request.method == "PATCH" and "dryRun" not in request.query and not world.applied()
        answer = handle(request) if applied or not real else Response(500)
        if real:
            os.kill(children[0].pid, signal.SIGKILL)
        return answer

    world.cluster.handle = killing  # type: ignore[method-assign]
    with world.cluster.serve() as cluster:
        arguments = [url, cluster, str(tmp_path), str(world.id), world.clock().isoformat()]
        root = Path(__file__).parents[2]
        children.append(subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=root))
        assert children[0].wait(60) == -signal.SIGKILL

    assert world.effects() == ([6] if applied else [])
    assert world.incident.state is State.RUNNING
    assert world.acts()[-1] == "intends"
    world.cluster.handle = handle  # type: ignore[method-assign]
    world.reader = KubeReader(world.cluster.connect("reader"))
    world.writer = KubeWriter(world.cluster.connect("writer"))
    assert world.walk((State.VERIFYING, State.ESCALATED)).state is State.VERIFYING
    assert world.effects() == [6]
    assert world.store.verify() == ()
    world.store.close()
