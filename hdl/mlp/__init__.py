"""One engine for each kind of MLP."""
