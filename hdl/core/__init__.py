"""Cores and board tops: generation, streams, host link."""
