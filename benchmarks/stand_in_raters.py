"""People who rate a queue, played by recorded ratings: for walks through the verbs.

    python benchmarks/stand_in_raters.py QUEUE.csv RATINGS.csv OUT.csv [EARLIER.csv …] [--audit-only]

Takes as many raters an item as the queue asks for, none who rated the item in an earlier batch. ``--audit-only``:
people have done the audit slice so far.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from edit_metrics.io.tables import read_table, write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("queue", type=Path)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("earlier", type=Path, nargs="*")
    parser.add_argument("--audit-only", action="store_true")
    arguments = parser.parse_args()
    queue, left = read_table(arguments.queue), read_table(arguments.ratings)
    if arguments.audit_only:
        queue = queue[queue["selection"] == "audit"]
    for file in arguments.earlier:
        done = set(read_table(file)[["id", "rater"]].itertuples(index=False, name=None))
        left = left[[pair not in done for pair in left[["id", "rater"]].itertuples(index=False, name=None)]]
    wanted = dict(zip(queue["id"], queue["raters"], strict=True))
    left = left[left["id"].isin(set(wanted))]
    # A rater's turn within an item: the first asked come first, in the file's order.
    turn = left.groupby("id")["rater"].transform(lambda raters: pd.factorize(raters)[0])
    rated = left[turn < left["id"].map(wanted)]
    write_csv(rated, arguments.out)
    print(f"{rated['id'].nunique()} of {len(queue)} queued items rated", file=sys.stderr)


if __name__ == "__main__":
    main()
