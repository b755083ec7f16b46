"""The contract of the score table, once: columns, codes and their words, rows, run file, signatures, summary."""
