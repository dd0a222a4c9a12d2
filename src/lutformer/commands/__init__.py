"""The commands of the command line, a file each: a function, and ``EXAMPLES`` for its help."""
