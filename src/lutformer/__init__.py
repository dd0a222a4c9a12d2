"""Transformers made of popcounts and lookup tables, from training to a board that answers."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("lutformer")
