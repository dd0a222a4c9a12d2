"""Run the command line as ``python -m lutformer``."""

from .cli import main

if __name__ == "__main__":
    main()
