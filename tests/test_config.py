"""Profiles: validation, inheritance, overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from edit_metrics.config import Config, load_config, merge, profile_names, validate_config
from edit_metrics.errors import ConfigError
from edit_metrics.weights.catalogue import weights_of_profile


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_valid(name: str) -> None:
    assert load_config(name).profile == name


def test_the_base_and_other_yaml_files_are_not_profiles() -> None:
    assert "embedded" in profile_names()
    assert not {"base", "rubric", "gate"} & set(profile_names())


def test_an_unknown_profile_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'embedded'"):
        load_config("embeded")


def test_a_profile_name_cannot_be_a_path() -> None:
    with pytest.raises(ConfigError, match="name of a shipped profile"):
        load_config("../pyproject")


def test_an_unknown_key_suggests_the_nearest_at_its_own_level(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: embedded\nengine: {shard_sise: 3}\n")
    with pytest.raises(ConfigError, match=r"engine\.shard_sise.*Did you mean 'shard_size'"):
        load_config(file=path)


def test_an_unknown_key_inside_a_dimension_names_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: embedded\ndimensions: {quality: {metricks: []}}\n")
    with pytest.raises(ConfigError, match=r"dimensions\.quality\.metricks.*'metrics'"):
        load_config(file=path)


def test_an_unknown_dimension_suggests_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "profile: x\ndimensions: {preservasion: {}}\n")
    with pytest.raises(ConfigError, match="Did you mean 'preservation'"):
        load_config(file=path)


@pytest.mark.parametrize(
    ("anchors", "fault"),
    [
        ([[0, 0]], "at least two"),
        ([[0, 0], [0, 1]], "increase"),
        ([[0, 0], [1, 2]], r"\[0, 1\]"),
        ([[0, 0], [1, 1], [2, 0]], "monotone"),
    ],
)
def test_a_curve_that_is_none_is_refused(anchors: list[list[float]], fault: str) -> None:
    section = {"metrics": ["psnr"], "curves": {"psnr": {"anchors": anchors}}}
    with pytest.raises(ConfigError, match=fault):
        validate_config({"profile": "x", "dimensions": {"preservation": section}}, "test")


def test_a_curve_of_a_metric_that_is_not_measured_is_refused() -> None:
    section = {"metrics": ["ssim"], "curves": {"psnr": {"anchors": [[0, 0], [1, 1]]}}}
    with pytest.raises(ConfigError, match="not among the metrics"):
        validate_config({"profile": "x", "dimensions": {"preservation": section}}, "test")


def test_overrides_are_yaml_and_keep_metric_names_together() -> None:
    config = load_config("embedded", overrides=["engine.shard_size=16", "metrics.preservation.ssim.x=true"])
    assert config.engine.shard_size == 16
    assert config.metrics == {"preservation.ssim": {"x": True}}


@pytest.mark.parametrize("override", ["engine.shard_size", "=3", "engine.shard_size={"])
def test_a_malformed_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        load_config("embedded", overrides=[override])


def test_an_override_through_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a section"):
        load_config("embedded", overrides=["profile.name=x"])


def test_merging_replaces_lists_removes_nulls_and_drops_options_of_a_replaced_backend() -> None:
    base = {"a": [1, 2], "b": {"use": "lpips", "net": "alex"}, "c": {"use": "x", "k": 1}, "d": 1}
    over = {"a": [3], "b": {"use": "stub"}, "c": {"use": "x", "k": 2}, "d": None}
    assert merge(base, over) == {"a": [3], "b": {"use": "stub"}, "c": {"use": "x", "k": 2}}


def test_entries_with_a_plus_are_added_to_the_list_of_the_base_once(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: embedded\ndimensions: {quality: {metrics: [+mine.contrast, +blur_delta]}}\n")
    base, own = load_config("embedded"), load_config(file=path)
    assert own.dimension("quality").metrics == (*base.dimension("quality").metrics, "mine.contrast")
    assert own.dimension("quality").curves == base.dimension("quality").curves
    assert merge({"labels": ["a"]}, {"labels": ["+b"]}) == {"labels": ["a", "b"]}


def test_a_plus_without_anything_to_add_to_makes_the_list(tmp_path: Path) -> None:
    path = write(tmp_path, "profile: own\ndimensions: {style: {metrics: [+gram_distance]}}\n")
    assert load_config(file=path).dimension("style").metrics == ("gram_distance",)
    assert merge({}, {"a": {"b": ["+c"]}}) == {"a": {"b": ["c"]}}


def test_entries_with_a_minus_are_taken_from_the_list_of_the_base(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: embedded\ndimensions: {quality: {metrics: [-banding_edited, +mine.contrast]}}\n")
    base, own = (
        load_config("embedded").dimension("quality").metrics,
        load_config(file=path).dimension("quality").metrics,
    )
    assert own == (*(name for name in base if name != "banding_edited"), "mine.contrast")


def test_taking_away_what_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: embedded\ndimensions: {quality: {metrics: [-banding_edit]}}\n")
    with pytest.raises(ConfigError, match=r"to take away that are in it, got banding_edit.*banding_edited"):
        load_config(file=path)


def test_adding_and_replacing_in_one_list_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: embedded\ndimensions: {quality: {metrics: [+mine.contrast, blur_delta]}}\n")
    with pytest.raises(ConfigError, match="a \\+ or - before every entry of 'metrics', or before none"):
        load_config(file=path)


def test_an_override_adds_as_a_file_does_and_reaches_metrics_with_a_dot_of_their_own() -> None:
    overrides = [
        "dimensions.quality.metrics=[+mine.contrast]",
        "dimensions.quality.curves.mine.contrast={anchors: [[0, 0], [1, 1]], trust: 0.4}",
        "dimensions.quality.curves.mine.contrast.trust=0.3",
        "dimensions.quality.curves.blur_added.trust=0.2",
        "metrics.quality.mine.contrast.smallest=2",
    ]
    config = load_config("embedded", overrides=overrides)
    quality = config.dimension("quality")
    assert quality.metrics[-1] == "mine.contrast"
    assert quality.curves["mine.contrast"].trust == 0.3
    assert quality.curves["blur_added"].trust == 0.2
    assert config.metrics["quality.mine.contrast"] == {"smallest": 2}


def test_overriding_the_backend_drops_the_options_of_the_old_one() -> None:
    config = load_config("embedded", overrides=["backends.perceptual.use=stub"])
    assert config.backends["perceptual"] == {"use": "stub"}


def test_overriding_with_null_removes_the_key() -> None:
    assert "faces" not in load_config("embedded", overrides=["backends.faces=null"]).backends


def test_profiles_that_extend_each_other_in_a_circle_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edit_metrics.config.configs_folder", lambda: tmp_path)
    (tmp_path / "a.yaml").write_text("extends: b\nprofile: a\n")
    (tmp_path / "b.yaml").write_text("extends: a\nprofile: b\n")
    with pytest.raises(ConfigError, match="cycle"):
        load_config("a")


@pytest.mark.parametrize(("text", "fault"), [("[1, 2]", "mapping"), ("a: [", "YAML file")])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load_config(file=write(tmp_path, text))


def test_profile_and_file_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both"):
        load_config("embedded", tmp_path / "x.yaml")


def test_the_resolved_config_survives_a_round_trip() -> None:
    config = load_config("embedded")
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_the_old_name_of_a_profile_works_for_a_release_and_warns(tmp_path: Path) -> None:
    with pytest.warns(FutureWarning, match="'default' is called 'clip' now"):
        assert load_config("default") == load_config("clip")
    with pytest.warns(FutureWarning, match="the old name goes"):
        assert load_config(file=write(tmp_path, "extends: default\n")).profile == "clip"
    with pytest.warns(FutureWarning, match="called 'clip'"):
        assert weights_of_profile("default") == weights_of_profile("clip")
    assert "default" not in profile_names()
