"""What asking a model costs on our side: the question made, sent, and its answer checked. The server answers at once.

    python bench/model_overhead.py [QUESTIONS]

The case is a full one: logs up to the cap, a hundred pods. Prints medians in milliseconds; the goal is under 300 for
the whole of it, the first question of a process too: `serve` loads the client in the background when it starts.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, datetime

from opsbot import config as settings
from opsbot.core.evidence import Evidence
from opsbot.core.target import Target
from opsbot.diagnose.analyze import ask
from opsbot.diagnose.case import Case
from opsbot.diagnose.prompt import question
from opsbot.llm import connect, warm
from opsbot.mask import mask
from opsbot.store import open_store
from opsbot.testing.model import FakeModelServer, Said

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
TARGET = Target("agents", "Deployment", "agents")
PODS, LINES = 6, 2_400  # six logs of 250 kB: what the source reads at most


def main() -> None:
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    case = Case(TARGET, evidence(), playbooks={"restart_workload": "Restart it", "scale_up_agents": "Add replicas"})
    size = sum(len(item.text) for item in case.evidence)
    made = [timed(lambda: question(case, 60_000)) for _ in range(questions)]
    loaded = timed(lambda: warm(settings.Model("http://127.0.0.1:9/v1", "bench")))
    server = FakeModelServer(Said(answer))
    with server.serve() as url:
        model = connect(settings.Model(f"{url}/v1", "bench"), None, lambda: NOW)
        first, *rest = [timed(lambda: ask(model, case, 60_000)) for _ in range(questions + 1)]
    store = open_store("sqlite://", NOW)
    with server.serve() as url:
        model = connect(settings.Model(f"{url}/v1", "bench", usd_per_million_in=1.0), store, lambda: NOW)
        ask(model, case, 60_000)
        cached = [timed(lambda: ask(model, case, 60_000)) for _ in range(questions)]
    store.close()
    print(f"evidence {size / 1e6:.1f} MB, question {len(question(case, 60_000).text)} characters")
    print(f"making the question     {statistics.median(made):6.1f} ms")
    print(f"asking, all of it       {statistics.median(rest):6.1f} ms, worst {max(rest):.1f} ms")
    print(f"asking again (cached)   {statistics.median(cached):6.1f} ms")
    print(f"the first in a process  {first:6.1f} ms, after {loaded:.1f} ms of loading in the background")


def timed(do: object) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    do()  # type: ignore[operator]
    return (time.perf_counter() - start) * 1000


def answer(text: str) -> str:
    """A good answer with three hypotheses and quotes."""
    lines = [line for line in text.split("\n") if line.startswith("e2:")][:5]
    quotes = [{"id": line.partition(":")[0], "quote": line.partition("| ")[2]} for line in lines]
    thought = {"fault": "overload", "object": "Deployment/agents/agents", "confidence": 0.5, "says": "Too much work.",
               "evidence": quotes, "playbook": "scale_up_agents"}  # fmt: skip
    return json.dumps({"hypotheses": [thought] * 3})


def evidence() -> tuple[Evidence, ...]:
    """Pods and logs as they may come at most."""
    pods = "".join(f"Pod/agents-{n % 100} status.conditions[{n}].status: True\n" for n in range(5_000))
    log = "".join(
        f"2026-03-04T09:59:{n % 60:02}.{n:09}Z INFO request {n} of tenant {n % 97} served in {n % 400} ms\n"
        for n in range(LINES)
    )
    texts = [("pods", pods), *[("pod_logs", log)] * PODS]
    return tuple(
        Evidence(f"e{n}", source, TARGET, NOW, mask(text), mask("kubectl")) for n, (source, text) in enumerate(texts, 1)
    )


if __name__ == "__main__":
    main()
