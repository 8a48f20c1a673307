"""Files that state what to watch, opsbot's own and Prometheus': text in, rules or every problem at once out."""
