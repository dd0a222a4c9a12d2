"""Training runs, checkpoints, export."""
