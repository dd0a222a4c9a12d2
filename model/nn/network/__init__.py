"""The networks of each family in PyTorch."""
