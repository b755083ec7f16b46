"""The rating page: a local server that shows two pictures and keeps one answer a key press."""
