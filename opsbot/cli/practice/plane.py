"""`opsbot practice up`, `down` and `status`: a control plane that stays up on this machine, and how to reach it."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsbot.practice.plane.standing import Standing

GOOD, FOUND = 0, 1


def up(args: Namespace) -> int:
    """Raise it; 0 once it is of use, 1 where one is up already."""
    from opsbot.app import clock
    from opsbot.app.rights import rights
    from opsbot.cli.progress import Progress
    from opsbot.config import cache_folder
    from opsbot.core.errors import Refused
    from opsbot.practice.plane import standing
    from opsbot.practice.plane.rbac import rules_of

    accounts = {name: rules_of(granted) for name, granted in rights().items()}
    progress, begun = Progress(), time.monotonic()
    try:
        made = standing.up(cache_folder(), accounts, clock(), progress.tell)
    except Refused as error:
        progress.clear()
        sys.stderr.write(f"opsbot: {error}\n")
        return _write(args, {"error": str(error)}, [], FOUND) if args.format == "json" else FOUND
    finally:
        progress.clear()
    said = _reached(made)
    lines = [f"Kubernetes {said['versions']['kube-apiserver']} is up after {time.monotonic() - begun:.1f} s", ""]
    return _write(args, said, [*lines, *_how(said), "", "`opsbot practice down` ends it"])


def down(args: Namespace) -> int:
    """End it; 0 when nothing is left of it."""
    from opsbot.config import cache_folder
    from opsbot.practice.plane import standing

    ended = standing.down(cache_folder())
    words = f"the plane at {ended.url or ended.folder} is down" if ended else "no plane was up"
    return _write(args, {"ended": ended.url if ended else None}, [words])


def status(args: Namespace) -> int:
    """Say what runs and how to reach it; 1 where nothing is up, or a server does not answer."""
    from opsbot.config import cache_folder
    from opsbot.practice.plane.standing import State, look, why
    from opsbot.practice.plane.versions import SILENT

    state, there = look(cache_folder())
    if state is State.UP and there:
        said = _reached(there)
        code = FOUND if SILENT in said["versions"].values() else GOOD
        return _write(args, said, [f"a plane is up since {there.since}", "", *_how(said), "", *_servers(said)], code)
    words = {
        State.NONE: "no plane is up: `opsbot practice up` raises one",
        State.BROKEN: f"the plane broke down: {why(there)}\n`opsbot practice up` raises a new one",
    }.get(state, "a plane is being raised just now")
    more = {"why": why(there)} if state is State.BROKEN else {}
    return _write(args, {"state": state.value, **more}, [words], FOUND)


def _reached(there: Standing) -> dict[str, Any]:
    """All that one needs to reach it, and what answers there."""
    from opsbot.practice.plane.real import ADMIN
    from opsbot.practice.plane.versions import versions

    return {
        "state": "up", "server": there.url, "since": there.since, "kubeconfig": str(there.kubeconfig),
        "contexts": [ADMIN, "reader", "writer"], "kubectl": str(there.programs / "kubectl"),
        "folder": str(there.folder), "versions": dict(versions(there.folder, there.programs, there.client())),
    }  # fmt: skip


def _how(said: dict[str, Any]) -> Iterator[str]:
    yield f"  export KUBECONFIG={said['kubeconfig']}"
    yield f"  alias kubectl={said['kubectl']}"
    yield "  kubectl get nodes                        (context admin: may do everything)"
    yield "  kubectl --context reader get pods -A     (as opsbot reads; `writer` as it writes)"


def _servers(said: dict[str, Any]) -> Iterator[str]:
    yield f"  {'server':<24}{said['server']}"
    for name, version in said["versions"].items():
        yield f"  {name:<24}{version}"


def _write(args: Namespace, data: dict[str, Any], lines: list[str], code: int = GOOD) -> int:
    sys.stdout.write((json.dumps(data, indent=2) if args.format == "json" else "\n".join(lines)) + "\n")
    return code
