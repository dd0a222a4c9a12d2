"""One data file a board; bitstream build, flashing, and the host side of the link."""
