"""`edit-metrics models list|pull|verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.cli.options import Json

if TYPE_CHECKING:
    from edit_metrics.weights.entries import Weight

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Weights by name, see: models list.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="All weights of this profile.")]

_DEFAULT_PROFILE = "embedded"


def register(app: typer.Typer) -> None:
    """Add the group ``models``."""
    models = typer.Typer(no_args_is_help=True, help="Pretrained weights: what there is, fetch it, check it.")
    models.command("list")(list_weights)
    models.command("pull")(pull_weights)
    models.command("verify")(verify_weights)
    app.add_typer(models, name="models")


def list_weights(names: Names = None, profile: ProfileOption = None, as_json: Json = False) -> None:
    """Show the pinned weights: what they are for, their size and licence, and whether they are here."""
    from edit_metrics.cli import console
    from edit_metrics.weights import store

    rows = [_row(weight) for weight in _chosen(names, profile) or _all()]
    if as_json:
        console.emit_json(rows)
        return
    columns = ["name", "role", "profiles", "size", "licence", "present"]
    cells = [
        [
            row["name"],
            row["role"],
            ", ".join(row["profiles"]) or "by option",
            store.human_size(row["bytes"]),
            row["licence"],
            row["present"],
        ]
        for row in rows
    ]
    console.table(f"Weights, kept in {store.models_folder()}", columns, cells)


def pull_weights(names: Names = None, profile: ProfileOption = None, as_json: Json = False) -> None:
    """Fetch weights into the model cache and check every hash; what is there already is left alone."""
    from edit_metrics.cli import console
    from edit_metrics.weights.catalogue import weights_of_profile
    from edit_metrics.weights.pull import pull
    from edit_metrics.weights.store import folder_of, models_folder

    results = pull(_chosen(names, profile) or weights_of_profile(_DEFAULT_PROFILE), progress=console.say)
    fetched = sum(result.state == "fetched" for result in results)
    there = len(results) - fetched
    console.say(f"{fetched} fetched, {there} were there and verified; all {len(results)} are in {models_folder()}")
    if as_json:
        console.emit_json(
            [
                {"name": result.weight.name, "state": result.state, "folder": str(folder_of(result.weight))}
                for result in results
            ]
        )


def verify_weights(names: Names = None, profile: ProfileOption = None, as_json: Json = False) -> None:
    """Read every byte of the weights and compare with the pinned hashes; exit 1 when one is wrong.

    A weight that was named, or that the profile needs, must also be there. Without either, those that are absent are
    listed and do not count.
    """
    from edit_metrics.cli import console
    from edit_metrics.weights.store import verify

    chosen = _chosen(names, profile)
    verdicts = [verify(weight) for weight in chosen or _all()]
    if as_json:
        console.emit_json([{"name": v.weight.name, "state": v.state, "problem": v.problem} for v in verdicts])
    else:
        console.table("", ["name", "state", "problem"], [[v.weight.name, v.state, v.problem] for v in verdicts])
    wrong = {"corrupt", "missing"} if chosen else {"corrupt"}
    if any(verdict.state in wrong for verdict in verdicts):
        raise typer.Exit(1)


def _all() -> tuple[Weight, ...]:
    from edit_metrics.weights.catalogue import all_weights

    return all_weights()


def _chosen(names: list[str] | None, profile: str | None) -> tuple[Weight, ...]:
    """The weights that were asked for, in catalogue order; empty when nothing was named."""
    from edit_metrics.weights.catalogue import get, weights_of_profile

    wanted = {weight.name for weight in weights_of_profile(profile)} if profile else set()
    wanted |= {get(name).name for name in names or ()}
    return tuple(weight for weight in _all() if weight.name in wanted)


def _row(weight: Weight) -> dict[str, Any]:
    from edit_metrics.weights.store import is_present

    return {
        "name": weight.name,
        "role": weight.role,
        "profiles": list(weight.profiles),
        "bytes": weight.size,
        "licence": weight.licence,
        "present": is_present(weight),
    }
