"""What a poll costs: opsbot's whole cycle against Prometheus' own evaluation of the same rules, and against a loop.

    python bench/poll.py [ROUNDS]

One Prometheus 3 with 10,000 series (see bed.py), 100 rules and then 500. In each round (15) one after the other: what
Prometheus says its own evaluation took (a group of rules, one by one, as it does by default); a poll with all that
belongs to it, the answers saved durably; a plain loop that asks prometheus-api-client for each rule. Then the first two
again while two processes keep the two cores busy. Prints the median of each and of their ratios in one round; the goals
are 0.8 of Prometheus' own (1.1 under load) and 0.3 of the loop.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml
from bed import Bed, raised, rules
from prometheus_api_client import PrometheusConnect

from opsbot.config import Prometheus
from opsbot.core.alert import AlertRule
from opsbot.monitor.polling.poller import Poller
from opsbot.monitor.rules import promfile
from opsbot.prometheus import PrometheusClient
from opsbot.store import open_store

EVERY = 6
"""Seconds between two evaluations of Prometheus: the rest of a round takes place in between."""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with raised() as bed:
        for count in (100, 500):
            with ExitStack() as stack:
                poller, watched = made(bed, count, stack)
                bed.load(rules(count), f"{EVERY}s")
                wait_for_next(bed)
                show(f"{count} rules", [one(bed, poller, watched) for _ in range(rounds)], 0.8)
                with busy():
                    show(
                        f"{count} rules, two busy cores",
                        [one(bed, poller, watched, loop=False) for _ in range(rounds)],
                        1.1,
                    )
                bed.load([], f"{EVERY}s")


def made(bed: Bed, count: int, stack: ExitStack) -> tuple[Poller, list[AlertRule]]:
    """A poller as `opsbot serve` has it, with a store on disk, and the rules that it watches."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    text = yaml.safe_dump({"groups": [{"name": "bench", "interval": "15s", "rules": rules(count)}]})
    watched = list(promfile.parse(text, "bench.yml").alerts)
    store = open_store(f"sqlite:///{folder}/opsbot.db", datetime.now(UTC), create=True)
    stack.callback(store.close)
    client = PrometheusClient(Prometheus(bed.url))
    stack.callback(client.close)
    clock = lambda: datetime.now(UTC)  # noqa: E731
    return Poller(rules=watched, metrics=client, store=store, cluster="bench", clock=clock), watched


def one(bed: Bed, poller: Poller, watched: list[AlertRule], loop: bool = True) -> tuple[float, ...]:
    """Seconds of one round: Prometheus' own, the poll, the loop."""
    own = wait_for_next(bed)
    begun = time.perf_counter()
    poller.poll(watched, datetime.now(UTC))
    polled = time.perf_counter() - begun
    assert not poller.blindness(), poller.blindness()
    return (own, polled, looped(bed, watched)) if loop else (own, polled)


def looped(bed: Bed, watched: list[AlertRule]) -> float:
    api = PrometheusConnect(bed.url)
    begun = time.perf_counter()
    for rule in watched:
        api.custom_query(rule.condition)
    return time.perf_counter() - begun


def wait_for_next(bed: Bed) -> float:
    """What the next evaluation took, once it is over."""
    before, _ = bed.evaluated()
    while True:
        time.sleep(0.05)
        when, took = bed.evaluated()
        if when != before and not when.startswith("0001"):
            return took


def show(what: str, rounds: list[tuple[float, ...]], goal: float) -> None:
    own, polled = ([seconds[at] for seconds in rounds] for at in (0, 1))
    said = f"{what}: Prometheus' own {middle(own)}, opsbot {middle(polled)}"
    ratio = statistics.median(p / o for o, p in zip(own, polled, strict=True))
    said += f": {ratio:.2f} of its own (goal {goal})"
    if len(rounds[0]) > 2:
        loop = [seconds[2] for seconds in rounds]
        share = statistics.median(p / one for one, p in zip(loop, polled, strict=True))
        said += f"; loop {middle(loop)}: {share:.2f} of it (goal 0.3)"
    print(said, flush=True)


def middle(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms ({min(seconds) * 1000:.0f} to {max(seconds) * 1000:.0f})"


@contextmanager
def busy() -> Iterator[None]:
    """Two processes that do nothing, as fast as they can."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


if __name__ == "__main__":
    main()
