"""Kinds of attention and MLP: one object each, built in or registered by other packages."""
