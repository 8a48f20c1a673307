"""opsbot: from an alert on Kubernetes to its cause, an approved change, and proof that it helped."""

__version__ = "0.1.0"
