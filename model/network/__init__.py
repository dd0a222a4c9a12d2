"""Networks of each family as integers, their golden runs and their file."""
