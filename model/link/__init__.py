"""Frames, requests and replies of the host link."""
