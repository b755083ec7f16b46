"""Face features: packing, identity edits, references, with an analyzer that reads faces from coloured squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edit_metrics.backends.base import Face, Fingerprint
from edit_metrics.features import faces, subject
from edit_metrics.instruction.instruction import understand
from edit_metrics.registry import get_feature
from edit_metrics.types import RGB, Float32, Mask


class ColouredSquares:
    """A face is a 20-px square whose left edge is a multiple of 20; its colour is its embedding, black is no face."""

    fingerprint = Fingerprint("squares", {}, "none")

    def find_faces(self, images: Sequence[RGB]) -> list[tuple[Face, ...]]:
        return [tuple(self._faces(image)) for image in images]

    def _faces(self, image: RGB) -> list[Face]:
        found = []
        for left in range(0, image.shape[1] - 19, 20):
            colour = image[10, left + 10].astype(np.float32)
            if colour.any():
                found.append(Face((left, 0.0, left + 20.0, 20.0), 1.0, colour))
        return found

    def similarity(self, first: Float32, second: Float32) -> Float32:
        distance = np.linalg.norm(first[:, None] - second[None], axis=-1)
        return np.clip(1 - distance / 255, 0, 1).astype(np.float32)


ANALYZER = ColouredSquares()
RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def row(*colours: tuple[int, int, int]) -> RGB:
    return np.repeat(np.array([colours], dtype=np.uint8), 20, axis=0).repeat(20, axis=1)


def matches(source: RGB, edited: RGB, *, identity: bool = False, aligned: bool = True, mask: Mask | None = None):  # type: ignore[no-untyped-def]
    (known,), (found,) = faces.source_faces([source], ANALYZER), faces.edited_faces([edited], ANALYZER)
    return faces.face_matches(known, found, identity, ANALYZER, edited if aligned else None, mask)


def test_faces_travel_as_one_array_and_no_face_is_an_empty_one() -> None:
    with_face, without = faces.source_faces([row(RED, GREEN), row(BLACK)], ANALYZER)
    np.testing.assert_array_equal(with_face[1], [20, 0, 40, 20, 1, 0, 255, 0])
    assert without.shape == (0, 5)
    assert get_feature("source_faces").cache


def test_faces_of_the_edit_are_searched_on_the_sources_grid_where_there_is_one() -> None:
    native, fitted = row(RED), row(RED, GREEN)
    on_grid, own = faces.edited_faces([native, native], ANALYZER, [fitted, None])
    assert (len(on_grid), len(own)) == (2, 1)
    assert len(faces.edited_faces([native], ANALYZER)[0]) == 1


def test_people_who_change_places_are_matched_by_who_they_are() -> None:
    result = matches(row(RED, GREEN), row(GREEN, RED))
    assert result.similarities == (1.0, 1.0)


def test_a_lost_and_a_gained_face_are_counted_and_the_rest_is_matched() -> None:
    lost = matches(row(RED, GREEN), row(BLACK, GREEN))
    assert (lost.similarities, lost.lost) == ((1.0,), 1)
    gained = matches(row(RED), row(RED, GREEN))
    assert (gained.similarities, gained.found) == ((1.0,), 2)


def test_an_identity_edit_excuses_the_faces_inside_the_mask_and_no_others() -> None:
    mask = np.zeros((20, 40), dtype=bool)
    mask[:, 20:] = True
    result = matches(row(RED, GREEN), row(RED, BLUE), identity=True, mask=mask)
    assert (result.known, result.excused_known, result.excused_found) == (1, 1, 1)
    assert result.similarities == (1.0,)


def test_an_identity_edit_without_a_mask_excuses_every_face() -> None:
    result = matches(row(RED, GREEN), row(RED, BLUE), identity=True)
    assert (result.known, result.found, result.excused_known) == (0, 0, 2)


def test_without_a_common_grid_a_mask_says_nothing_about_the_edits_faces() -> None:
    mask = np.zeros((20, 40), dtype=bool)
    result = matches(row(RED, GREEN), row(RED), identity=True, aligned=False, mask=mask)
    assert (result.known, result.excused_known) == (0, 2)


@pytest.mark.parametrize(
    "instruction",
    [
        "replace the man with a woman", "swap the faces", "face swap with the actor", "make him a pirate",
        "Turn the woman into a robot", "remove the man", "give her the queen's face",
    ],
)  # fmt: skip
def test_instructions_that_change_who_is_there_are_identity_edits(instruction: str) -> None:
    assert faces.identity_edit(understand(instruction))


@pytest.mark.parametrize(
    "instruction",
    [
        "make her smile",
        "change his hair to red",
        "crop the photo",
        "replace the background; she stays as she is",
        "add a hat to the man",
        "replace the car with a bike",
        "",
    ],
)
def test_other_instructions_are_not_and_neither_is_none(instruction: str) -> None:
    assert not faces.identity_edit(understand(instruction))
    assert not faces.identity_edit()


def test_references_that_show_faces_take_the_sources_place_and_each_is_compared_with_its_nearest_face() -> None:
    own = matches(row(RED), row(GREEN, BLUE))
    (found,) = faces.edited_faces([row(GREEN, BLUE)], ANALYZER)
    (references,) = faces.reference_faces([(row(GREEN), row(GREEN))], ANALYZER)
    result = faces.compared_faces(own, found, ANALYZER, references)
    assert (result.known_from, result.similarities) == ("references", (1.0, 1.0))


def test_references_without_a_face_leave_the_comparison_with_the_source() -> None:
    own = matches(row(RED), row(RED))
    (found,) = faces.edited_faces([row(RED)], ANALYZER)
    (references,) = faces.reference_faces([(row(BLACK),)], ANALYZER)
    assert faces.compared_faces(own, found, ANALYZER, references) is own
    assert faces.compared_faces(own, found, ANALYZER) is own


def test_references_of_several_items_share_a_batch_and_keep_their_owners() -> None:
    first, second = faces.reference_faces([(row(RED), row(BLACK)), (row(GREEN, BLUE),)], ANALYZER)
    assert first[:, 5:].tolist() == [[255, 0, 0]]
    assert second[:, 5:].tolist() == [[0, 255, 0], [0, 0, 255]]


def test_a_reference_person_that_the_edit_lost_leaves_no_similarity() -> None:
    own = matches(row(RED), row(BLACK))
    (references,) = faces.reference_faces([(row(GREEN),)], ANALYZER)
    result = faces.compared_faces(own, np.zeros((0, 5), dtype=np.float32), ANALYZER, references)
    assert (result.similarities, result.known) == ((), 1)


class MeanColour:
    """Every patch key is the picture's mean colour."""

    fingerprint = Fingerprint("mean", {}, "none")

    def encode_patches(self, images: Sequence[RGB]) -> list[Float32]:
        return [np.tile(image.reshape(-1, 3).mean(axis=0), (4, 1)).astype(np.float32) for image in images]


def test_the_subject_is_what_the_mask_marks_and_else_the_whole_picture() -> None:
    image = np.zeros((60, 200, 3), dtype=np.uint8)
    image[20:40, 150:170] = 255
    mask = np.zeros((60, 200), dtype=bool)
    mask[20:40, 150:170] = True
    inside, whole = subject.subject_source([image, image], MeanColour(), [mask, None])
    assert inside[0] == pytest.approx(255 * 20**2 / 52**2)  # 16 px of context on each side
    (edited,) = subject.subject_edited([image], MeanColour())
    np.testing.assert_array_equal(edited, whole)
