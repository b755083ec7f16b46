"""Pretrained models, one file a family. The only place where torch is imported, lazily."""
