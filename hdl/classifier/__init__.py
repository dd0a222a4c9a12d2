"""Weightless classifiers, spatial and folded."""
