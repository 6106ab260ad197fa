"""Looking for records of a training part that are in a test part too, in one form or another."""
