"""Arithmetic, memories, queues, serial line: what every component is made of."""
