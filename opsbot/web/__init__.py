"""The small server: webhooks, health and figures. Requests of anybody in; pushed alerts and questions handed on.

Only its loop is async, and nothing waits in it. A model, a cluster and the store are unknown here: what it serves is
passed in.
"""
