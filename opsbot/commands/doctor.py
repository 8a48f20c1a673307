"""`doctor`: is everything there that opsbot needs?"""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands.desk import Answer, Desk


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{probes: [{name, state, says}]}; code 1 where one is bad."""
    probes = [look()._asdict() for look in desk.probes()]
    return Answer({"probes": probes}, 1 if any(probe["state"] == "bad" for probe in probes) else 0)
