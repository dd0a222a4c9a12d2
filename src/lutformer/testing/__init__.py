"""Random networks of any shape, for tests and early sizing."""
