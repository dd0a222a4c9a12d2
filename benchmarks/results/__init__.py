"""The tables of docs/results.md: records of what was measured, and how the page shows them."""
