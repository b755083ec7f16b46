"""Who is looked at, in which order, and what may be decided without looking. Tables alone."""
