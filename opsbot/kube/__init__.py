"""The hand that reaches a Kubernetes API server: reading under one account, writing under another."""
