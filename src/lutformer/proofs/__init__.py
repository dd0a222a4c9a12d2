"""Formal claims about a build directory."""
