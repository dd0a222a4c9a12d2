"""What differs between families of networks."""
