"""``python -m benchmarks.results``: see :mod:`benchmarks.results.page`."""

from benchmarks.results.page import main

main()
