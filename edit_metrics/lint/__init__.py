"""What is wrong with a set of edits itself, before anything is spent on it: files, masks, doubles, words. No models."""
