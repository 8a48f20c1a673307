"""`opsbot practice fault`: set a fault on the practice plane that is up, heal it, or list those that there are."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsbot.cli.progress import Progress
    from opsbot.practice.faults.fault import Fault
    from opsbot.practice.faults.setting import Setter
    from opsbot.practice.plane.standing import Standing

GOOD = 0


def run(args: Namespace) -> int:
    """Do what was asked for; 0 when it is done. PermanentError for a name that is none, and where no plane is up."""
    if args.list:
        return _list(args)
    if not args.name and not args.heal:
        from opsbot.core.errors import PermanentError

        raise PermanentError("which fault? `opsbot practice fault --list` shows them")
    chosen = [_named(args.name)] if args.name else []
    return _heal(args, chosen) if args.heal else _put(args, chosen[0])


def _named(word: str) -> Fault:
    """The fault of this name, else an error with the nearest one."""
    import difflib

    from opsbot.core.errors import PermanentError
    from opsbot.practice.faults import BY_NAME

    known = BY_NAME.get(word.replace("-", "_").lower())
    if known:
        return known
    near = difflib.get_close_matches(word, list(BY_NAME), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`opsbot practice fault --list` shows them"
    raise PermanentError(f"{word[:60]!r} is no fault to practise on ({hint})")


def _put(args: Namespace, fault: Fault) -> int:
    there, setter, progress = _plane()
    try:
        setter.put(fault)
    finally:
        progress.clear()
    config = _config(there, fault)
    look = looks(fault)
    diagnose = f"opsbot --config {config} diagnose {fault.target} -n {fault.namespace}"
    kubectl = f"{there.programs / 'kubectl'} --kubeconfig {there.kubeconfig} -n {fault.namespace}"
    data = {"set": fault.name, "namespace": fault.namespace, "kubectl": [f"{kubectl} {words}" for words in look],
            "diagnose": diagnose}  # fmt: skip
    lines = [
        f"{fault.name} is set: {fault.summary}", "", f"  export KUBECONFIG={there.kubeconfig}",
        f"  alias kubectl={there.programs / 'kubectl'}", *(f"  kubectl -n {fault.namespace} {words}" for words in look),
        f"  {diagnose}", "", f"`opsbot practice fault {fault.name} --heal` takes it away",
    ]  # fmt: skip
    return _write(args, data, lines)


def looks(fault: Fault) -> list[str]:
    """What to ask kubectl, so as to see it."""
    from opsbot.practice.faults.fault import LABEL

    pods = [f"describe pods -l {LABEL}={fault.name}"] * any(look.kind == "Pod" for look in fault.shows)
    words = ["get all", *([f"describe {fault.seen_at}"] if fault.about or not pods else []), *pods]
    pod = f"{fault.target} -c {fault.speaks}"
    logs = [f"logs {pod}"] * bool(fault.logs) + [f"logs {pod} --previous"] * bool(fault.previous)
    return [*words, *logs, "get events --sort-by .lastTimestamp"]


def _heal(args: Namespace, chosen: Sequence[Fault]) -> int:
    """Heal one, or all that are set; the namespace that they share goes with the last one."""
    from opsbot.practice.faults import ALL

    _, setter, progress = _plane()
    try:
        there = setter.present(chosen or ALL)
        for fault in there:
            setter.heal(fault)
        setter.tidy()
    finally:
        progress.clear()
    healed = [fault.name for fault in there]
    none = [f"{fault.name} is not set" for fault in chosen] or ["no fault is set"]
    return _write(args, {"healed": healed}, [f"{name} is healed" for name in healed] or none)


def _list(args: Namespace) -> int:
    """All of them by family; those that are set are marked where a plane is up."""
    from opsbot.practice.faults import FAMILIES

    there = _present()
    rows = [
        {"name": fault.name, "family": family, "summary": fault.summary, "set": fault.name in there}
        for family, faults in FAMILIES.items() for fault in faults
    ]  # fmt: skip
    lines: list[str] = []
    for family, faults in FAMILIES.items():
        lines += [family, *(f"{'*' if f.name in there else ' '} {f.name:<28}{f.summary}" for f in faults), ""]
    return _write(args, {"faults": rows}, [*lines, "* is set" if there else "none is set"])


def _present() -> frozenset[str]:
    from opsbot.core.errors import OpsbotError

    try:
        return _plane()[1].set_ones()
    except OpsbotError:
        return frozenset()


def _plane() -> tuple[Standing, Setter, Progress]:
    """The plane that is up, and the means to set faults on it; PermanentError where none is."""
    from opsbot.cli.progress import Progress
    from opsbot.config import cache_folder
    from opsbot.practice.faults.setting import Setter
    from opsbot.practice.plane import standing

    there, progress = standing.found(cache_folder()), Progress()
    return there, Setter(there.client(), there.folder, progress.tell), progress


def _config(there: Standing, fault: Fault) -> str:
    """An agent_config.yaml beside the plane, by which whoever runs this may diagnose there as the reader."""
    from opsbot.config import os_user

    who = os_user()
    file = there.folder / f"{fault.namespace}.yaml"
    reading = {"kubeconfig": str(there.kubeconfig), "context": "reader"}
    file.write_text(json.dumps({  # JSON is YAML too
        "kubernetes": {"cluster": "practice", "namespaces": [fault.namespace], "read": reading},
        "access": {"people": [{"name": who, "os_user": who}], "groups": {"sre": [who]},
                   "permissions": {"sre": ["diagnose"], "everyone": ["read"]}},
    }, indent=1))  # fmt: skip
    return str(file)


def _write(args: Namespace, data: dict[str, Any], lines: Sequence[str]) -> int:
    sys.stdout.write(json.dumps(data, indent=2) + "\n" if args.format == "json" else "\n".join(lines) + "\n")
    return GOOD
