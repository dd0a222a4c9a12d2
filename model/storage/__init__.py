"""Nodes of a network and files written atomically."""
