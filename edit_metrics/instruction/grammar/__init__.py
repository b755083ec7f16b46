"""A closed world of edit instructions: every word has to be accounted for, by one reading alone."""
