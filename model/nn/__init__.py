"""Quantised torch twins of the golden components, training and export; the only home of torch."""
