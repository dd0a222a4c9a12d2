"""The report: figures, pictures, page."""
