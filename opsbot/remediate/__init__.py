"""From a proposal to a proven change: plan, guardrails, approval, run, verification, undo.

The only room that holds the cluster's write account, and it writes nothing but a frozen, approved plan.
"""
