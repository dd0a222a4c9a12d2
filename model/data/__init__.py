"""Readers of images, tables and texts."""
