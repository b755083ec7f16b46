"""Feasibility: what may be judged, what is doubtful, what is not to be judged at all."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edit_metrics.features.feasibility import object_rank
from edit_metrics.instruction.instruction import understand
from edit_metrics.io.images import DecodeInfo, MaskFacts, PictureFacts
from edit_metrics.metrics.feasibility import (
    captions_differ,
    instruction_ok,
    mask_ok,
    share_of_distractors_beaten,
    size_ok,
    text_fits,
    verdict,
)
from edit_metrics.registry import all_features, get_metric, load_all
from edit_metrics.types import Measurement, Result, not_applicable, undefined

NO_MASK = not_applicable("no_mask")


def picture(width: int = 512, height: int = 384) -> PictureFacts:
    return PictureFacts(width, height, "PNG", (), "0" * 64)


def files(**changes: object) -> DecodeInfo:
    return dataclasses.replace(DecodeInfo(picture(), picture(), NO_MASK), **changes)


def mask_facts(*cautions: str) -> MaskFacts:
    return MaskFacts(512, 384, "gray", "edited", cautions, "0" * 64)


PARTIAL = np.zeros((384, 512), bool)
PARTIAL[100:200, 100:300] = True
GOOD = {"decode_info": files(), "instruction": "remove the dog"}


def outcome(result: Result) -> tuple[float | None, tuple[str, ...]]:
    measurement = Measurement.of(result)
    return measurement.value, measurement.cautions


def test_a_plain_item_is_feasible_without_a_reason() -> None:
    assert outcome(verdict(**GOOD)) == (1.0, ())
    parsed = understand("remove the dog")
    assert outcome(verdict(**GOOD, mask=PARTIAL, parsed_instruction=parsed)) == (1.0, ())


@pytest.mark.parametrize("name", ["source", "edited", "mask"])
def test_a_file_that_does_not_decode_is_infeasible_with_the_decoders_code(name: str) -> None:
    broken = undefined(f"{name}_missing_file")
    assert outcome(verdict(**{**GOOD, "decode_info": files(**{name: broken})})) == (0.0, (f"{name}_missing_file",))


def test_a_reference_that_does_not_decode_is_doubtful() -> None:
    broken = files(references=(picture(), undefined("reference_unreadable")))
    assert outcome(verdict(**{**GOOD, "decode_info": broken})) == (0.5, ("reference_unreadable",))


def test_a_side_of_64_pixels_is_enough_and_63_are_not() -> None:
    assert outcome(verdict(**{**GOOD, "decode_info": files(source=picture(64, 900))})) == (1.0, ())
    small = files(source=picture(900, 63), edited=picture(10, 10))
    assert outcome(verdict(**{**GOOD, "decode_info": small})) == (0.0, ("source_too_small", "edited_too_small"))
    assert outcome(size_ok(small)) == (0.0, ("source_too_small", "edited_too_small"))
    assert size_ok(files()) == 1.0
    assert size_ok(small, min_side=10) == 1.0


def test_size_is_missing_where_a_file_is() -> None:
    assert size_ok(files(edited=undefined("edited_unreadable"))) == undefined("edited_unreadable")


@pytest.mark.parametrize(("mask", "code"), [(PARTIAL & False, "empty_mask"), (PARTIAL | True, "full_mask")])
def test_a_mask_that_marks_nothing_or_everything_is_doubtful(mask: np.ndarray, code: str) -> None:
    assert outcome(mask_ok(mask)) == (0.5, (code,))
    assert outcome(verdict(**GOOD, mask=mask)) == (0.5, (code,))


def test_one_pixel_makes_a_mask() -> None:
    one = PARTIAL & False
    one[0, 0] = True
    assert mask_ok(one) == 1.0
    assert mask_ok(~one) == 1.0


def test_a_coloured_mask_is_doubtful_and_a_feathered_one_is_not() -> None:
    assert outcome(mask_ok(PARTIAL, files(mask=mask_facts("coloured_mask")))) == (0.5, ("coloured_mask",))
    assert mask_ok(PARTIAL, files(mask=mask_facts("feathered_mask"))) == 1.0


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "—", "___", "\n\t"])
def test_an_instruction_without_a_word_is_infeasible(text: str) -> None:
    assert outcome(instruction_ok(text)) == (0.0, ("empty_instruction",))
    assert outcome(verdict(files(), instruction=text)) == (0.0, ("empty_instruction",))
    assert outcome(verdict(files(), instruction=text, target_caption="a cat")) == (0.5, ("empty_instruction",))


@pytest.mark.parametrize("text", ["remove the dog", "赤い車にする", "3", "¿más luz?"])
def test_words_of_any_script_are_an_instruction(text: str) -> None:
    assert instruction_ok(text) == 1.0


def test_no_instruction_at_all_is_fine_beside_a_target_caption() -> None:
    assert outcome(verdict(files(), target_caption="a cat on a sofa")) == (1.0, ())


def test_truncated_texts_are_named() -> None:
    assert text_fits(frozenset()) == 1.0
    found = text_fits(frozenset({"target_caption", "instruction"}))
    assert outcome(found) == (0.0, ("instruction", "target_caption"))


def test_the_verdict_depends_on_no_model() -> None:
    load_all()
    features = {spec.name: spec for spec in all_features()}
    pending, seen = list(get_metric("feasibility.verdict").needs), set()
    while pending:
        name = pending.pop()
        seen.add(name)
        if name in features:
            assert features[name].backend is None, name
            pending.extend(set(features[name].needs) - seen)
    assert "parsed_instruction" in seen


@pytest.mark.parametrize(
    ("second", "differ"), [("A cat on a mat.", 0.0), ("a  CAT on a mat", 0.0), ("a dog on a mat", 1.0)]
)
def test_captions_that_say_the_same_are_equal(second: str, differ: float) -> None:
    assert captions_differ("a cat on a mat", second) == differ
    reasons = () if differ else ("equal_captions",)
    found = verdict(**GOOD, source_caption="a cat on a mat", target_caption=second)
    assert outcome(found) == (1.0 if differ else 0.5, reasons)


@dataclasses.dataclass(frozen=True)
class Slots:
    edit_type: str
    object: str | None = None
    new_object: str | None = None
    old_text: str | None = None
    new_text: str | None = None
    read: bool = True


@pytest.mark.parametrize(
    ("slots", "code"),
    [
        (Slots("remove"), "no_object"),
        (Slots("replace", None, "a cat"), "no_object"),
        (Slots("replace", "Dog", "dog"), "same_object"),
        (Slots("text", old_text="SALE", new_text="SALE"), "same_text"),
    ],
)
def test_a_request_that_contradicts_itself_is_doubtful(slots: Slots, code: str) -> None:
    assert outcome(verdict(**GOOD, parsed_instruction=slots)) == (0.5, (code,))


def test_what_was_not_read_in_full_contradicts_nothing() -> None:
    assert outcome(verdict(**GOOD, parsed_instruction=Slots("remove", read=False))) == (1.0, ())


def test_an_edit_type_alone_is_no_contradiction() -> None:
    assert outcome(verdict(files(), target_caption="a street", parsed_instruction=Slots("remove"))) == (1.0, ())


@pytest.mark.parametrize("text", ["turn the dog into a cat", "change 'OPEN' to 'CLOSED'", "make it sepia", "add a hat"])
def test_ordinary_requests_are_feasible(text: str) -> None:
    assert outcome(verdict(files(), instruction=text, parsed_instruction=understand(text))) == (1.0, ())


def test_the_gravest_finding_decides_and_comes_first() -> None:
    info = files(edited=undefined("edited_not_an_image"))
    found = verdict(info, PARTIAL & False, "paint it", "a", "a")
    assert outcome(found) == (0.0, ("edited_not_an_image", "empty_mask", "equal_captions"))


def test_the_verdict_needs_nothing_and_is_never_missing() -> None:
    assert verdict() == 1.0
    assert get_metric("feasibility.verdict").inputs == {}


class Compass:
    """Stands in for an encoder: each of a few words has a direction of its own."""

    def __init__(self) -> None:
        self.batches = 0

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        self.batches += 1
        angles = [{"dog": 0.0, "red dog": 0.1}.get(text, 1.0 + len(text) / 50) for text in texts]
        return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


def test_an_object_that_fits_best_beats_every_distractor() -> None:
    towards_dog, away = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    items = [Slots("remove", "red dog"), Slots("recolour", "dog"), Slots("remove", "red dog"), Slots("add", "dog")]
    encoder = Compass()
    ranks = object_rank([towards_dog, towards_dog, away, away], items, encoder)
    assert ranks == [1.0, 1.0, 0.0, not_applicable("no_object_to_find")]
    assert encoder.batches == 1


def test_nothing_is_encoded_where_no_object_is_named() -> None:
    encoder = Compass()
    assert object_rank([np.ones(2)], [Slots("remove")], encoder) == [not_applicable("no_object_to_find")]
    assert encoder.batches == 0


def test_the_rank_is_the_share_of_distractors_beaten() -> None:
    distractors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)
    picture, text = np.array([1, 0], np.float32), np.array([0.6, 0.8], np.float32)
    assert share_of_distractors_beaten(picture, text, distractors) == 0.5


def test_no_feasibility_column_reads_a_picture() -> None:
    for name in ("verdict", "size_ok", "mask_ok", "instruction_ok", "captions_differ"):
        assert not {"source", "edited", "edited_native", "grid"} & set(get_metric(f"feasibility.{name}").needs)


def test_every_value_is_one_of_three() -> None:
    values = [verdict(), mask_ok(PARTIAL | True), instruction_ok("")]
    assert [outcome(value)[0] for value in values] == [1.0, 0.5, 0.0]
