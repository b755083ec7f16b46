"""Last step of label_studio_roundtrip.sh: are the imported ratings the ones that were entered?

python scripts/label_studio_check.py SENT.json RATINGS.parquet
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edit_metrics.ratings.files import read_ratings


def main() -> None:
    sent = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    ratings = read_ratings(sys.argv[2])
    frame = ratings.frame
    found = {str(row.dimension): float(row.rating) for row in frame.itertuples()}
    expected = {name: float(value) for name, value in sent["ratings"].items()}
    if set(frame["id"]) != {sent["id"]} or found != expected or ratings.scale.values != (1.0, 2.0, 3.0, 4.0, 5.0):
        sys.exit(f"imported {found} of {set(frame['id'])} on {ratings.scale}, sent {expected} of {sent['id']}")
    print(f"imported back: {len(found)} ratings of {sent['id']} by {frame['rater'].iloc[0]}, as they were entered")


if __name__ == "__main__":
    main()
