"""Choice of a plan: bounds, costs, search."""
