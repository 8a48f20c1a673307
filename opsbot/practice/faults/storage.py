"""Claims for storage that nothing answers. What is said of them is the volume controller's own."""

from __future__ import annotations

from opsbot.practice.faults.fault import Act, Fault, Look, slug
from opsbot.practice.faults.parts import BOUND, claim, deployment, event, mounting, unschedulable, volume

_PENDING = Look("PersistentVolumeClaim", {"status.phase": "Pending"})


FAULTS: tuple[Fault, ...] = (
    Fault(
        "pvc_no_storage_class", "its claim names a storage class that is not there",
        (claim("pvc_no_storage_class", storageClassName="fast-ssd"),
         deployment("pvc_no_storage_class", **mounting("pvc_no_storage_class"))),
        (_PENDING, event("ProvisioningFailed", 'storageclass.storage.k8s.io "fast-ssd" not found'),
         *unschedulable("unbound immediate PersistentVolumeClaims")),
    ),
    Fault(
        "pvc_no_default_class", "its claim names no storage class, and the cluster has no default one",
        (claim("pvc_no_default_class"), deployment("pvc_no_default_class", **mounting("pvc_no_default_class"))),
        (_PENDING, event("FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
         *unschedulable("unbound immediate PersistentVolumeClaims")),
    ),
    Fault(
        "pvc_no_matching_volume", "its claim is larger than every volume that there is",
        (volume("pvc_no_matching_volume", storageClassName=""),
         claim("pvc_no_matching_volume", storageClassName="", resources={"requests": {"storage": "500Gi"}},
               selector={"matchLabels": {"practice.opsbot/fault": "pvc_no_matching_volume"}}),
         deployment("pvc_no_matching_volume", **mounting("pvc_no_matching_volume"))),
        (_PENDING, event("FailedBinding", "no persistent volumes available for this claim"),
         Look("PersistentVolume", {"status.phase": "Available"}),
         *unschedulable("unbound immediate PersistentVolumeClaims")),
    ),
    Fault(
        "pvc_wrong_mode", "its claim wants to be shared, and its volume can be used from one node only",
        (volume("pvc_wrong_mode"),
         claim("pvc_wrong_mode", storageClassName=slug("pvc_wrong_mode"), accessModes=["ReadWriteMany"],
               volumeName=slug("pvc_wrong_mode")),
         deployment("pvc_wrong_mode", **mounting("pvc_wrong_mode"))),
        (_PENDING, event("VolumeMismatch", "incompatible accessMode")),
    ),
    Fault(
        "pvc_lost", "the volume that its claim was bound to has been removed",
        (volume("pvc_lost"), claim("pvc_lost", storageClassName=slug("pvc_lost")),
         deployment("pvc_lost", **mounting("pvc_lost"))),
        (Look("PersistentVolumeClaim", {"status.phase": "Lost"}),
         event("ClaimLost", "Bound claim has lost its PersistentVolume")),
        then=(Act("delete", "PersistentVolume", slug("pvc_lost"), once=BOUND),
              Act("patch", "PersistentVolume", slug("pvc_lost"), {"metadata": {"finalizers": None}})),
    ),
)  # fmt: skip
