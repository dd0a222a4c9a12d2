"""What differs between families of networks: one object each, found by ``family_of``."""

from .family import Config, Data, Family
from .lookup import FAMILIES, family_of

__all__ = ["FAMILIES", "Config", "Data", "Family", "family_of"]
