"""`opsbot practice ...`: a control plane of one's own, on this machine."""
