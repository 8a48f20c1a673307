"""Files on the bench: what is in them, what is wrong with them, and whether their cases hold."""
