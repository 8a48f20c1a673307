"""Jobs that do not get done, and CronJobs that start none. What is said of them is the controllers' own."""

from __future__ import annotations

from typing import Any

from opsbot.practice.faults.fault import Fault, Look
from opsbot.practice.faults.parts import container, event, job, made, told


def _cron(name: str, schedule: str, **more: Any) -> Any:
    template = {key: value for key, value in job(name).items() if key == "spec"}
    return made("batch/v1", "CronJob", name, {"schedule": schedule, "jobTemplate": template, **more})


FAULTS: tuple[Fault, ...] = (
    Fault(
        "job_failed", "its pod ends with an error, and it may not try again",
        (job("job_failed", told(exit_code="1", runs_for="500ms"), backoffLimit=0),),
        (Look("Job", {"status.conditions[Failed].reason": "^BackoffLimitExceeded$"}),
         event("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
         Look("Pod", {"status.phase": "Failed", "status.containerStatuses.state.terminated.exitCode": "^1$"})),
        logs=("import: 812 of 4000 rows", "import: error: row 813 has no price"), about="job/job-failed",
    ),
    Fault(
        "job_deadline_exceeded", "it takes longer than it may",
        (job("job_deadline_exceeded", told(runs_for="1h"), activeDeadlineSeconds=3),),
        (Look("Job", {"status.conditions[Failed].reason": "^DeadlineExceeded$"}),
         event("DeadlineExceeded", "Job was active longer than specified deadline")),
        about="job/job-deadline-exceeded",
    ),
    Fault(
        "job_parallelism_wrong", "it may run no pod at a time, so that it never begins",
        (job("job_parallelism_wrong", parallelism=0, completions=3),),
        (Look("Job", {"spec.parallelism": "^0$", "status.startTime": ".", "status.active": "",
                      "status.succeeded": ""}),),
        about="job/job-parallelism-wrong",
    ),
    Fault(
        "sidecar_blocks_job", "its work is done, and a helper beside it goes on running",
        (job("sidecar_blocks_job", told(sidecar="proxy", runs_for="500ms"), containers=(
            container("sidecar_blocks_job"), container("proxy", image="registry.example/proxy:1.9.0", ports=[]))),),
        (Look("Pod", {"status.phase": "Running", "status.containerStatuses[sidecar-blocks-job].state.terminated.reason":
                      "^Completed$", "status.containerStatuses[proxy].state.running.startedAt": "."}),
         Look("Job", {"status.active": "^1$", "status.succeeded": ""})),
        about="job/sidecar-blocks-job",
    ),
    Fault(
        "cron_suspended", "somebody suspended it and nobody took it up again",
        (_cron("cron_suspended", "*/5 * * * *", suspend=True),),
        (Look("CronJob", {"spec.suspend": "^true$", "status.lastScheduleTime": ""}),), about="cronjob/cron-suspended",
    ),
    Fault(
        "cron_schedule_bad", "its schedule names a day that no year has",
        (_cron("cron_schedule_bad", "0 3 31 2 *"),),
        (Look("CronJob", {"spec.schedule": r"^0 3 31 2 \*$", "status.lastScheduleTime": ""}),),
        about="cronjob/cron-schedule-bad",
    ),
)  # fmt: skip
