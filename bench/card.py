"""From an alert's first firing evaluation to its card in chat, through all of opsbot and a small Slack of its own.

    python bench/card.py [ALERTS] [RUNS]

ALERTS (60) distinct alerts on workloads of their own come a few each second, once with Slack's limit of about one
message a second in a channel switched off and once with it on, and once so slowly that the limit leaves room; after
that RUNS (1) scenes with a real Prometheus (`make demo` fetches it). The goal is a p95 of 2 s. Cards and the notes of
their threads are all messages of one channel: in a burst the limit alone makes the last card wait about a second for
each one before it, whatever opsbot does. So that figure is printed, and no goal is set for it.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opsbot import config as settings
from opsbot.app import Bot, clock, connect
from opsbot.cli.demo import chat
from opsbot.core.ports import Store
from opsbot.practice import scene
from opsbot.practice.ground import raise_ground
from opsbot.practice.plane import simulated
from opsbot.testing.prometheus import FakePrometheus, vector
from opsbot.testing.slack import FakeSlack

GOAL = 2.0
EACH_SECOND = 3
SLOWLY, SLOW_ALERTS = 1 / 6, 15
"""One each six seconds: a card, a diagnosis, a proposal, and the edits between them."""
LONGEST = 300.0
ALERTS = """\
alerts:
  - name: High Task Latency
    condition: 'response_time > 5000'
    severity: critical
    actions: [scale_up_agents]
    every: 1s
    target: {kind: Deployment, namespace: agents, name: '{{ labels.deployment }}'}
"""


def main() -> None:
    given = [int(word) for word in sys.argv[1:]] + [60, 1][len(sys.argv) - 1 :]
    alerts, runs = given[:2]
    logging.getLogger("opsbot").setLevel(logging.ERROR)  # what the limit puts off is told below
    say(f"{alerts} alerts, {EACH_SECOND} each second, no limit", storm(alerts, EACH_SECOND, limited=False), goal=True)
    say(f"{alerts} alerts, {EACH_SECOND} each second, 1 message each second", storm(alerts, EACH_SECOND, limited=True))
    few = min(alerts, SLOW_ALERTS)
    say(f"{few} alerts, one each 6 s, 1 message each second", storm(few, SLOWLY, limited=True), goal=True)
    if runs:
        say(f"{runs} scenes with a real Prometheus", [scene_with_prometheus() for _ in range(runs)], goal=True)


def say(what: str, seconds: Sequence[float], *, goal: bool = False) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    verdict = "" if not goal else f": {'within' if p95 <= GOAL else 'MISSES'} the goal of {GOAL:g} s"
    figures = f"p50 {statistics.median(ordered):.2f} s, p95 {p95:.2f} s, most {ordered[-1]:.2f} s"
    print(f"alert fired to card, {what}: {figures}{verdict}", flush=True)


# many alerts ----------------------------------------------------------------------------------------------------------


def storm(alerts: int, each_second: float, *, limited: bool) -> list[float]:
    """Seconds from firing to card for each of so many alerts."""
    names = [f"agents-{place:03}" for place in range(alerts)]
    prometheus, slack = FakePrometheus(), FakeSlack(clock, rate_limited=limited)
    prometheus.says("response_time > 5000", vector())
    with (
        tempfile.TemporaryDirectory() as folder, simulated(objects(names)) as plane, prometheus.serve() as address,
        slack.serve() as url,
    ):  # fmt: skip
        write(Path(folder), address, url, plane, slack)
        config = settings.load(str(Path(folder) / "agent_config.yaml"))
        hands = connect(config)
        bot = Bot(config, hands)
        bot.start()
        slack.wait_connected()
        for place in range(1, alerts + 1):
            firing = [({"deployment": name}, 7200.0) for name in names[:place]]
            prometheus.says("response_time > 5000", vector(*firing))
            time.sleep(1 / each_second)
        found = slack.wait_for(lambda: waits(hands.store, alerts), LONGEST)
        bot.stop()
        hands.store.close()
    return found


def waits(store: Store, alerts: int) -> list[float]:
    """How long each card took, once all stand."""
    incidents = store.incidents(limit=alerts)
    places = [store.card(incident.id) for incident in incidents]
    if len(incidents) < alerts or not all(places):
        return []
    fired = [min(alert.fired_at.timestamp() for alert in one.alerts if alert.fired_at) for one in incidents]
    return [float(place.ts) - begun for place, begun in zip(places, fired, strict=True) if place]


def objects(names: Sequence[str]) -> list[dict[str, Any]]:
    """The scene's workload under each of these names, one replica each."""
    made = [one for one in scene.objects() if one["kind"] == "Namespace"]
    pattern = next(one for one in scene.objects() if one["kind"] == "Deployment")
    for name in names:
        one = json.loads(json.dumps(pattern).replace(f'"app": "{scene.DEPLOYMENT}"', f'"app": "{name}"'))
        one["metadata"]["name"], one["spec"]["replicas"] = name, 1
        made.append(one)
    return made


def write(folder: Path, prometheus: str, url: str, plane: Any, slack: FakeSlack) -> None:
    """All that opsbot needs to watch it."""
    slack.person(scene.SLACK_USER, "ana")
    (folder / "bot").write_text(slack.bot_token)
    (folder / "app").write_text(slack.app_token)
    (folder / "alerts.yaml").write_text(ALERTS)
    tokens = {name: plane.token(name) for name in ("reader", "writer")}
    (folder / "kubeconfig.yaml").write_text(scene.kubeconfig(plane.url, tokens))
    chat = {
        "channel": slack.channel, "team": slack.team, "app": slack.app, "bot_token_file": "bot",
        "app_token_file": "app", "api_url": f"{url}/api/",
    }  # fmt: skip
    config = scene.agent_config(prometheus, "ana", "sqlite:///opsbot.db")
    (folder / "agent_config.yaml").write_text(f"{config}slack: {json.dumps(chat)}\n")


# one alert, all of it real but Slack and the cluster ------------------------------------------------------------------


def scene_with_prometheus() -> float:
    """One scene, up to its card."""
    with raise_ground(settings.cache_folder(), settings.os_user()) as ground, chat(ground) as slack:
        config = settings.load(str(ground.config))
        hands = connect(config)
        bot = Bot(config, hands)
        bot.start()
        ground.raise_load()
        card = slack.wait_for(slack.messages, 60)[0]
        fired = min(alert.fired_at for alert in hands.store.alerts() if alert.fired_at)
        bot.stop()
        hands.store.close()
    return float(card.ts) - fired.timestamp()


if __name__ == "__main__":
    main()
