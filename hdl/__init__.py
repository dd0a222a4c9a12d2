"""Amaranth components, one concept a file; never imports torch."""
