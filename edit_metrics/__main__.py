"""`python -m edit_metrics`: the command line."""

from edit_metrics.cli import main

if __name__ == "__main__":
    main()
