"""Containers that run and do not do well: they end, they are killed, or they are never ready."""

from __future__ import annotations

from opsbot.practice.faults.fault import Fault, Look
from opsbot.practice.faults.parts import deployment, ended, event, told, waiting

# What the probes say: pkg/probe/http/http.go and pkg/probe/tcp/tcp.go (the error of Go's net.Dialer).
_STATUS = "HTTP probe failed with statuscode: {}"
_REFUSED = 'Get "http://{ip}:8080/healthz": dial tcp {ip}:8080: connect: connection refused'
_PANIC = "panic: cannot read /etc/shop/prices.json: unexpected end of JSON"


def _http(path: str, **times: int) -> dict[str, object]:
    return {"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "periodSeconds": 5, **times}


FAULTS: tuple[Fault, ...] = (
    Fault(
        "out_of_memory", "it grows until the kernel kills it",
        (deployment("out_of_memory", told(exit_code="137", exit_reason="OOMKilled", runs_for="1500ms")),),
        (ended("OOMKilled", 137), waiting("CrashLoopBackOff", "back-off .* restarting failed container=out-of-memory"),
         event("BackOff", "Back-off restarting failed container")),
        logs=('level=info msg="cache warmed up" entries=12000',),
        previous=('level=info msg="cache warmed up" entries=12000', 'level=info msg="cache grew" entries=310000',
                  'level=warn msg="heap in use 126MiB"'),
    ),
    Fault(
        "app_crash", "it ends with an error of its own soon after each start",
        (deployment("app_crash", told(exit_code="1", runs_for="1s", exit_message=_PANIC)),),
        (ended("Error", 1), Look("Pod", {"status.containerStatuses.lastState.terminated.message": "^panic: "}),
         waiting("CrashLoopBackOff", "back-off"), event("BackOff", "Back-off restarting failed container")),
        logs=('level=info msg="shop 2.3.1 starts"',),
        previous=('level=info msg="shop 2.3.1 starts"',
                  _PANIC, "", "goroutine 1 [running]:", "main.loadPrices(0xc00007e5a0)", "\t/src/prices.go:41 +0x1c5"),
    ),
    Fault(
        "wrong_env", "it ends because a setting is missing from its environment",
        (deployment("wrong_env", told(exit_code="2", runs_for="500ms"),
                    {"env": [{"name": "DATABASE", "value": "shop"}]}),),
        (ended("Error", 2), event("BackOff", "Back-off restarting failed container")),
        logs=("fatal: environment variable DATABASE_URL is not set",),
        previous=("fatal: environment variable DATABASE_URL is not set",),
    ),
    Fault(
        "readiness_probe_wrong", "its readiness probe asks for a page that it does not serve",
        (deployment("readiness_probe_wrong", told(probe="readiness", probe_message=_STATUS.format(404)),
                    {"readinessProbe": _http("/helthz")}),),
        (Look("Pod", {"status.phase": "Running", "status.conditions[Ready].status": "False",
                      "status.conditions[Ready].reason": "^ContainersNotReady$"}),
         event("Unhealthy", "^Readiness probe failed: HTTP probe failed with statuscode: 404$")),
        logs=("GET /helthz 404 0.2ms",),
    ),
    Fault(
        "liveness_probe_wrong", "its liveness probe asks for a page that it does not serve, and has it killed",
        (deployment("liveness_probe_wrong",
                    told(probe="liveness", probe_message=_STATUS.format(404), exit_code="137", runs_for="1500ms"),
                    {"livenessProbe": _http("/live", failureThreshold=3)}),),
        (ended("Error", 137), event("Unhealthy", "^Liveness probe failed: HTTP probe failed with statuscode: 404$"),
         event("Killing", "Container liveness-probe-wrong failed liveness probe, will be restarted")),
        logs=('level=info msg="shop 2.3.1 listens on :8080"',),
        previous=('level=info msg="shop 2.3.1 listens on :8080"', "GET /live 404 0.2ms", "GET /live 404 0.1ms",
                  "GET /live 404 0.2ms"),
    ),
    Fault(
        "startup_too_slow", "its startup probe gives up before it listens",
        (deployment("startup_too_slow", told(probe="startup", probe_message=_REFUSED, exit_code="137",
                                             runs_for="1500ms"),
                    {"startupProbe": _http("/healthz", failureThreshold=2, initialDelaySeconds=1)}),),
        (ended("Error", 137), event("Unhealthy", "^Startup probe failed: .*connection refused$"),
         event("Killing", "Container startup-too-slow failed startup probe, will be restarted")),
        logs=('level=info msg="loading 4.1 GB of prices"',),
        previous=('level=info msg="loading 4.1 GB of prices"', 'level=info msg="loaded 11 percent"'),
    ),
)  # fmt: skip
