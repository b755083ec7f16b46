"""Character: matching, the verdict, and counts that never turn into similarities."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from edit_metrics.metrics import character
from edit_metrics.metrics.character import FaceMatches
from edit_metrics.types import Measurement, Result, Status, undefined

KEPT = FaceMatches((0.9, 0.7), known=2, found=2)
ONE_LOST = FaceMatches((0.9,), known=2, found=1)
ALL_LOST = FaceMatches((), known=2, found=0)
NO_FACE = FaceMatches((), known=0, found=1)
EXCUSED = FaceMatches((), known=0, found=0, excused_known=1, excused_found=1)


def of(result: Result) -> Measurement:
    return Measurement.of(result)


def test_min_mean_and_verdict_are_over_the_matched_faces() -> None:
    assert character.face_similarity_min(KEPT) == pytest.approx(0.7)
    assert character.face_similarity_mean(KEPT) == pytest.approx(0.8)
    assert character.face_same(KEPT) == 1.0


def test_one_face_below_the_threshold_decides_the_verdict_and_the_threshold_itself_is_the_same_person() -> None:
    assert character.face_same(FaceMatches((0.9, 0.49), 2, 2)) == 0.0
    assert character.face_same(FaceMatches((0.5,), 1, 1)) == 1.0


def test_no_face_in_the_source_is_not_applicable() -> None:
    for metric in (character.face_similarity_min, character.face_same, character.faces_lost):
        assert (of(metric(NO_FACE)).status, of(metric(NO_FACE)).reason) == (Status.NOT_APPLICABLE, "no_face_in_source")
    assert of(character.faces_gained(NO_FACE)).value == 1.0
    assert character.faces_source(NO_FACE) == 0.0


def test_lost_faces_are_counted_and_similarity_is_undefined_and_never_zero() -> None:
    assert of(character.faces_lost(ALL_LOST)).value == 2.0
    assert character.face_similarity_min(ALL_LOST) == undefined("face_lost")
    assert character.face_same(ALL_LOST) == undefined("face_lost")


def test_a_face_lost_beside_a_kept_one_is_a_caution() -> None:
    result = character.face_same(ONE_LOST)
    assert (result.value, result.cautions) == (1.0, ("face_lost",))
    assert of(character.faces_lost(ONE_LOST)).value == 1.0


def test_an_identity_edit_switches_the_check_off_and_keeps_the_counts() -> None:
    for metric in (character.face_similarity_mean, character.faces_lost, character.faces_gained):
        assert (of(metric(EXCUSED)).status, of(metric(EXCUSED)).reason) == (Status.NOT_APPLICABLE, "identity_edit")
    assert (character.faces_source(EXCUSED), character.faces_edited(EXCUSED)) == (1.0, 1.0)


def test_the_label_names_the_side_that_was_compared() -> None:
    assert character.face_compared_with(KEPT) == "source"
    assert character.face_compared_with(FaceMatches((0.9,), 1, 1, known_from="references")) == "references"
    assert character.face_compared_with(NO_FACE) is None


def matched_similarities(similarity: np.ndarray, overlap: np.ndarray | None = None) -> list[float]:
    return [similarity[pair] for pair in character.match_faces(similarity, overlap)]


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (0, 3), (3, 0), (1, 0)])
def test_a_single_face_is_matched_as_scipy_does_ties_too(shape: tuple[int, int], rng: np.random.Generator) -> None:
    for similarity in (rng.integers(0, 3, shape) / 2, np.zeros(shape)):
        rows, columns = linear_sum_assignment(similarity, maximize=True)
        assert character.match_faces(similarity) == list(zip(rows.tolist(), columns.tolist(), strict=True))


def test_matching_is_optimal_over_all_assignments(rng: np.random.Generator) -> None:
    for known, found in ((3, 3), (2, 4), (4, 2), (1, 1), (1, 5), (5, 1)):
        similarity = rng.uniform(size=(known, found))
        best = max(
            sum(similarity[i, j] for i, j in zip(rows, columns, strict=True))
            for rows in itertools.permutations(range(known), min(known, found))
            for columns in itertools.permutations(range(found), min(known, found))
        )
        matched = matched_similarities(similarity)
        assert len(matched) == min(known, found)
        assert sum(matched) == pytest.approx(best)


def test_greedy_matching_would_be_wrong_here() -> None:
    assert sorted(matched_similarities(np.array([[0.9, 0.8], [0.8, 0.1]]))) == pytest.approx([0.8, 0.8])


def test_box_overlap_settles_a_tie_and_cannot_outvote_a_clear_difference() -> None:
    stayed = np.eye(2)
    twins = np.array([[0.80, 0.81], [0.81, 0.80]])
    assert matched_similarities(twins, stayed) == pytest.approx([0.80, 0.80])
    swapped = np.array([[0.3, 0.9], [0.9, 0.3]])
    assert matched_similarities(swapped, stayed) == pytest.approx([0.9, 0.9])


def test_box_overlap_equals_hand_worked_values() -> None:
    first = np.array([[0.0, 0.0, 10.0, 10.0]])
    second = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 10.0], [20.0, 20.0, 30.0, 30.0], [3.0, 3.0, 3.0, 3.0]])
    np.testing.assert_allclose(character.box_overlap(first, second), [[1.0, 1 / 3, 0.0, 0.0]])


def test_subject_similarity_is_a_cosine_and_a_zero_vector_is_undefined() -> None:
    x, y = np.eye(2, dtype=np.float32)
    assert of(character.subject_similarity(x, 5 * x)).value == pytest.approx(1.0)
    assert of(character.subject_similarity(x, x + y)).value == pytest.approx(0.5**0.5)
    assert of(character.subject_similarity(x, 0 * y)).status is Status.UNDEFINED
