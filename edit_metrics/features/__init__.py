"""What is computed once an item and shared by metrics."""
