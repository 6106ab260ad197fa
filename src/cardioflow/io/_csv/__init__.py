"""What a table of samples in text is made of: the lines before the numbers, the roles of its columns, and its rate."""
