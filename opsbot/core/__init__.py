"""Values and pure functions: what every room speaks of. Nothing here reads a clock, a file or a network."""
