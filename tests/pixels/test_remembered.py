"""What was computed of pictures that were seen a moment ago."""

from __future__ import annotations

from edit_metrics.pixels.remembered import Remembered


def test_what_was_cleared_is_computed_again_and_takes_no_room() -> None:
    memory = Remembered[str](6, len)
    memory.put("a", "four")
    memory.clear()
    assert memory.get("a") is None
    memory.put("b", "sixsix")
    assert memory.of("b", lambda: "anew") == "sixsix"
