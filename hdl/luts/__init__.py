"""Lookup tables: graphs, mapping to cells, pipelining."""
