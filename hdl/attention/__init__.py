"""One engine for each kind of attention, and the parts they share."""
