"""What the coarse-to-fine face search misses, and what it saves: `python benchmarks/measure_face_search.py FOLDER…`.

Every picture under the folders is searched by dlib as a whole, doubled once, and by the coarse pass; pictures in which
dlib finds a face are searched at smaller sizes too, so that faces of all sizes are counted. Printed: faces that dlib
finds, and each picture in which the two differ; then CPU ms a picture.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from edit_metrics.backends.dlib_search import FaceSearch
from edit_metrics.io.images import decode_image
from edit_metrics.pixels.reducing import capped_size, reduced
from edit_metrics.types import RGB

_SUFFIXES = {".jpeg", ".jpg", ".png", ".webp"}
_SCALES = (0.8, 0.66, 0.5, 0.4, 0.3)
_MAX_SIDE = 1024  # as in the profile `embedded`


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    search = FaceSearch(FaceSearch.state_of_dlib())
    pictures = faces = differing = 0
    whole = coarse = 0.0
    for path, picture in _pictures(parser.parse_args().folders):
        sized = [picture]
        for scaled in sized:
            started = time.process_time()
            expected = search.everywhere(scaled, 1, 0.0)
            between = time.process_time()
            found = search.doubled(scaled, 0.0)
            whole, coarse = whole + between - started, coarse + time.process_time() - between
            if scaled is picture and expected:
                sized += [cv2.resize(picture, None, fx=s, fy=s, interpolation=cv2.INTER_AREA) for s in _SCALES]
            pictures, faces = pictures + 1, faces + len(expected)
            if found != expected:
                differing += 1
                print(f"{path} {scaled.shape[1]}×{scaled.shape[0]}: dlib {expected}, coarse {found}")
    print(f"{pictures} pictures, {faces} faces by dlib, {differing} pictures differ")
    print(f"CPU ms a picture: dlib {1e3 * whole / pictures:.1f}, coarse to fine {1e3 * coarse / pictures:.1f}")


def _pictures(folders: list[Path]) -> Iterator[tuple[Path, RGB]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _SUFFIXES:
                picture = decode_image(str(path)).pixels
                yield path, reduced(picture, capped_size(picture.shape[1], picture.shape[0], _MAX_SIDE))


if __name__ == "__main__":
    main()
