"""The practice ground: a cluster, a real Prometheus and a faulty app on loopback, for the demo and for drills."""
