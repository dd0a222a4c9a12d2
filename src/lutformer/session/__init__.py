"""Sessions with a board, real or virtual."""
