"""What Python users call: `score`, `Scorer`, frames that explain themselves, metrics as one-liners."""
