"""Evidence pictures and the HTML report."""
