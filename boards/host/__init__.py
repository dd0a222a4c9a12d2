"""The host: link, flashing, programmers."""
