"""Instructions to edit types, and checks that need no text-image model."""
