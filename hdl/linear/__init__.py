"""Matrix engine and layer norm."""
