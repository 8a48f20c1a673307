"""One name for each fault and symptom, so that rules, checks, playbooks and figures speak of the same things.

Something real without a name here is added here; a name is never changed.
"""

from __future__ import annotations

from difflib import get_close_matches

# fmt: off
FAMILIES: dict[str, tuple[str, ...]] = {
    "scheduling": (
        "insufficient_cpu", "insufficient_memory", "insufficient_gpu", "taint_not_tolerated",
        "node_selector_mismatch", "node_affinity_mismatch", "pod_affinity_mismatch", "pod_anti_affinity",
        "node_cordoned", "too_many_pods", "volume_affinity_conflict", "scheduling_gated", "evicted", "preempted",
    ),
    "admission, quota, policy": (
        "quota_cpu", "quota_memory", "quota_objects", "quota_requires_limits", "limit_range_min_cpu",
        "limit_range_max_cpu", "limit_range_min_memory", "limit_range_max_memory", "pod_security_refused",
        "webhook_refused", "webhook_unavailable", "rbac_denied", "service_account_missing",
    ),
    "start of a container": (
        "image_not_found", "image_access_denied", "image_name_invalid", "image_never_pull",
        "image_wrong_architecture", "config_map_missing", "secret_missing", "config_key_missing", "wrong_command",
        "wrong_env", "memory_limit_below_minimum", "init_container_failing", "volume_mount_failing",
        "volume_attached_elsewhere", "privileged_or_user_refused", "port_conflict",
    ),
    "running": (
        "out_of_memory", "cpu_throttling", "liveness_probe_wrong", "readiness_probe_wrong", "startup_too_slow",
        "app_crash", "app_error", "slow_dependency", "deadlock_or_hang", "disk_full", "shm_full",
        "file_descriptors_exhausted", "threads_exhausted", "sidecar_blocks_job", "clock_skew",
    ),
    "storage": (
        "pvc_no_storage_class", "pvc_no_default_class", "pvc_no_matching_volume", "pvc_wrong_mode", "pvc_lost",
        "volume_full",
    ),
    "network and dependencies": (
        "service_selects_nothing", "service_selects_others", "service_wrong_port", "no_ready_endpoints",
        "internal_traffic_no_local_pod", "ingress_no_class", "ingress_no_service", "ingress_no_tls_secret",
        "network_policy_denies", "dns_failing", "wrong_dns_policy", "dependency_unreachable",
        "dependency_refuses_auth", "certificate_expired", "certificate_untrusted", "stale_secret",
        "connection_pool_exhausted", "ports_or_conntrack_exhausted", "rate_limited", "retry_storm", "database_error",
        "queue_lag", "poison_message",
    ),
    "rollout and scale": (
        "rollout_stuck", "bad_release", "replicas_zero", "hpa_no_metrics", "hpa_no_requests", "hpa_at_maximum",
        "hpa_target_missing", "pdb_blocks_eviction", "finalizer_stuck", "replica_create_failing",
    ),
    "jobs": (
        "job_failed", "job_deadline_exceeded", "cron_schedule_bad", "cron_suspended", "job_parallelism_wrong",
    ),
    "nodes": (
        "node_not_ready", "node_memory_pressure", "node_disk_pressure", "node_pid_pressure", "kubelet_down",
        "node_network_unavailable",
    ),
    "load": (
        "overload",
    ),
}
SYMPTOMS: tuple[str, ...] = (
    "crash_loop", "image_pull_backoff", "pod_pending", "pod_not_ready", "restarts", "replicas_unavailable",
    "high_latency", "high_errors", "job_not_completing", "node_unschedulable_pods",
)
# fmt: on
FAULTS: frozenset[str] = frozenset(name for names in FAMILIES.values() for name in names)
NAMES: frozenset[str] = FAULTS | frozenset(SYMPTOMS)


def nearest(word: str) -> str:
    """The known name that looks most like this word, or nothing: the hint for a misspelt one."""
    found = get_close_matches(word, sorted(NAMES), n=1, cutoff=0.5)
    return found[0] if found else ""
