"""Plans: the lane counts and placements that turn a network into one circuit."""
