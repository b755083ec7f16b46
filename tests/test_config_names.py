"""Every name in a config resolves, wherever it comes from: a typo switches nothing off in silence."""

from __future__ import annotations

import pytest

from edit_metrics.config import load_config, profile_names, validate_config
from edit_metrics.engine.plan import build_plan
from edit_metrics.errors import ConfigError
from edit_metrics.judge.joining import with_judge


@pytest.mark.parametrize("name", profile_names())
def test_every_name_of_a_shipped_profile_resolves_also_with_a_judge(name: str) -> None:
    build_plan(load_config(name))
    assert build_plan(with_judge(load_config(name))).metrics


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("flags.unsafe.metric=safety.saef", "Did you mean 'safety.safe'"),
        ("flags.mine={metric: quality.nothing, above: 1}", "flags.mine.metric"),
        ("backends.saftey.use=stub", "Did you mean 'safety'"),
        ("backends.safety.use=opne_nsfw", "Did you mean 'open_nsfw'"),
        ("backends.clip={use: open_clip, modle: ViT-B-32}", "Did you mean 'model'"),
        ("priority.lost=[no_opp]", "Did you mean 'no_op'"),
        ("confidence.cautions.resizd=0.5", "Did you mean 'resized'"),
        ("labels=[geometri]", "Did you mean 'geometry'"),
        ("metrics={preservation.psrn: {}}", "Did you mean 'preservation.psnr'"),
        ("features={face_match: {}}", "Did you mean 'face_matches'"),
        ("dimensions.safty.metrics=[safe]", "'safety'"),
        ("run_if_infeasible=[safty]", "'safety'"),
        ("dimensions.safety.metrics=[+saef]", "Did you mean 'safety.safe'"),
        ("dimensions.safety.curves.nudity_mx={anchors: [[0, 1], [1, 0]]}", "is not among the metrics"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(change: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build_plan(load_config("embedded", overrides=[change]))
    assert words in str(refused.value)


def test_a_name_in_a_file_is_held_to_the_same_rule() -> None:
    data = {"profile": "mine", "flags": {"unsafe": {"metric": "safety.saef", "below": 0}}}
    with pytest.raises(ConfigError, match=r"safety\.saef"):
        build_plan(validate_config(data, "mine.yaml"))


@pytest.mark.parametrize("colour", ["[300, 0, 0]", "[0, -5, 0]", "[0, 0]", "[0.5, 0, 0]"])
def test_the_colour_behind_holes_is_a_colour(colour: str) -> None:
    with pytest.raises(ConfigError, match="alpha_background"):
        load_config("embedded", overrides=[f"decode.alpha_background={colour}"])
