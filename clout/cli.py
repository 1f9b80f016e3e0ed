"""The command `clout`. Commands import what they need, so that help comes at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from clout.errors import CloutError

if TYPE_CHECKING:
    from clout.data.lake import Lake

TROUBLE = 2
# Two programs at once must not spin against each other: OpenMP reads this when LightGBM is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class _Clear(TyperGroup):
    """A group of commands that tells a `CloutError` in one line, without a traceback, and exits with 2."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own signature)
        try:
            return super().invoke(ctx)
        except CloutError as error:
            typer.secho(f"error: {error}", fg="red", err=True)
            raise typer.Exit(TROUBLE) from error


app = typer.Typer(
    cls=_Clear,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Clout: an open influence score that is learned, calibrated and explained.",
)
ingest_app = typer.Typer(no_args_is_help=True, help="Bring posts, actions and counts into the lake.")
app.add_typer(ingest_app, name="ingest")

LakeUrl = Annotated[
    str | None,
    typer.Option("--lake", "--data", help="Path or URL of the lake.", show_default="CLOUT_LAKE, else .clout/lake"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@ingest_app.command("table")
def ingest_table(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or NDJSON; texts also as .gz.")],
    mapping: Annotated[str, typer.Option("--map", help="A mapping: a TOML file, or the name of one of Clout's own.")],
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring a table in a file into the lake; bad rows are rejected, kept and counted."""
    from datetime import UTC, datetime

    from clout.data.sources.mapping import read_mapping
    from clout.data.sources.table import ingest
    from clout.display import print_json, print_receipt, progress_bar

    target = _open_lake(lake)
    with progress_bar() as progress:
        receipt = ingest(target, file, read_mapping(mapping), datetime.now(UTC), progress)
    told = {
        "lake": target.url,
        **receipt.told(),
        "rejects": target.path("rejects", receipt.batch) if receipt.rejected else None,
    }
    print_json(told) if as_json else print_receipt(told)
    if not (receipt.rows or receipt.already_there):
        raise CloutError(f"no row of {file} was accepted: mend the rows or the mapping; rejects: {told['rejects']}")


@app.command("lake")
def show_lake(lake: LakeUrl = None, as_json: AsJson = False) -> None:
    """Show what the lake holds, where it came from and what was rejected."""
    from clout.data.receipt import totals
    from clout.display import print_json, print_lake

    target = _open_lake(lake)
    receipts = target.receipts()
    told = {
        "lake": target.url,
        "fingerprint": target.fingerprint(),
        **totals(receipts),
        "rejects": target.path("rejects", "*"),
        "receipts": [receipt.told() for receipt in receipts],
    }
    print_json(told) if as_json else print_lake(told)


@app.command()
def simulate(
    accounts: Annotated[int | None, typer.Option(help="People of the society.", show_default="5000")] = None,
    days: Annotated[int | None, typer.Option(help="Days it is watched.", show_default="90")] = None,
    seed: Annotated[int | None, typer.Option(help="Where chance begins.", show_default="7")] = None,
    bots: Annotated[float | None, typer.Option(help="Bots, as a share of the people.", show_default="0.005")] = None,
    pods: Annotated[int | None, typer.Option(help="Groups that act on one another's posts.", show_default="0")] = None,
    bought_likes: Annotated[int | None, typer.Option(help="Accounts that buy likes.", show_default="0")] = None,
    bought_followers: Annotated[int | None, typer.Option(help="Accounts that buy followers.", show_default="0")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Fill the lake with a made-up society whose true influence is known; the truth goes to CLOUT_HOME/truth."""
    from clout.data.simulate import configure, fill
    from clout.display import print_json, print_receipt
    from clout.settings import read_settings

    asked = {"accounts": accounts, "days": days, "seed": seed, "bots": bots, "pods": pods}
    asked |= {"bought_likes": bought_likes, "bought_followers": bought_followers}
    target, home = _open_lake(lake), read_settings().home
    receipt = fill(target, configure({name: value for name, value in asked.items() if value is not None}), home)
    told = {"lake": target.url, **receipt.told(), "rejects": None, "truth": str(home / "truth")}
    if as_json:
        print_json(told)
        return
    print_receipt(told)
    typer.echo(f"the truth is in {told['truth']}")


@app.command()
def train(
    params: Annotated[
        Path | None, typer.Option(help="TOML file of parameters.", show_default="params.toml if there")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, as often as needed.")
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on the lake and register it; the first that passes its checks becomes champion."""
    from clout.display import print_json, print_trained, step_bar
    from clout.settings import read_settings
    from clout.training import pipeline
    from clout.training.config import read_params
    from clout.training.report import table

    default = Path("params.toml")
    chosen = read_params(params or (default if default.exists() else None), tuple(overrides or ()))
    settings = read_settings()
    with step_bar(pipeline.steps(chosen)) as step:
        trained = pipeline.train(_open_lake(lake), chosen, settings.home, settings.tracking_uri, step)
    print_json(trained.told()) if as_json else print_trained(trained.told(), table(trained.report))


@app.command()
def evaluate(
    version: Annotated[str, typer.Argument(help="champion, challenger or a version.")] = "champion",
    final: Annotated[bool, typer.Option("--final", help="Open the last block, which no training has seen.")] = False,
    data: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print every figure of a model: of the rolling blocks while it was trained, or of the last block."""
    from clout.display import print_json, print_report, step_bar
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings
    from clout.training.report import table

    model = ScoreModel.load(registry.resolve(read_settings().home, version))
    if final:
        from clout.training.judge import open_last_block

        with step_bar(4) as step:
            figures = open_last_block(model, _open_lake(data), step)
    else:
        figures = model.bundle.json("metrics.json")
    told = {"version": model.version, "block": "final" if final else "rolling", **figures}
    print_json(told) if as_json else print_report(told, table(told))


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="challenger, or a version as `clout train` printed it.")],
) -> None:
    """Make a model the champion, which is the one that answers; its checks are shown, the choice is yours."""
    from clout.display import print_checks
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings

    settings = read_settings()
    directory = registry.promote(settings.home, settings.tracking_uri, version)
    print_checks(ScoreModel.load(directory).bundle.json("checks.json")["checks"])
    typer.echo(f"champion {directory.name}")


@app.command()
def run() -> None:
    """Do the main job: simulate a society if the lake is empty, train if there is no champion, then serve."""
    from clout.models import registry
    from clout.settings import read_settings

    home = read_settings().home
    if _open_lake(None).is_empty():
        typer.echo("the lake is empty: simulating a society (bring your own posts with `clout ingest table`)")
        simulate(accounts=2_000)
    if not registry.pointer_file(home, registry.CHAMPION).exists():
        typer.echo("there is no champion yet: training one")
        train()
    if not registry.pointer_file(home, registry.CHAMPION).exists():
        raise CloutError(
            "the model has a finding, marked ✗ above, so it was not made champion and nothing is served; expected none: "
            "add data, or serve it all the same with `clout promote challenger` and `clout serve`"
        )
    serve()


@app.command()
def score(
    post: Annotated[
        str | None, typer.Option(help="The post as JSON, as POST /v1/posts:score takes it; - reads it from stdin.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What the post says, instead of --post.")] = None,
    account: Annotated[str | None, typer.Option(help="Its account as network/id, beside --text.")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Score a post before it is published and say why, without a server."""
    import sys
    from datetime import UTC, datetime
    from json import dumps

    from clout.display import print_explained, print_json
    from clout.serving.active_model import read_active
    from clout.serving.scoring import explain, read_request
    from clout.settings import read_settings

    if (post is None) == (text is None and account is None):
        raise CloutError("expected either --post with JSON, or --text and --account: see `clout score --help`")
    now = datetime.now(UTC)
    asked = read_request(sys.stdin.read() if post == "-" else post or dumps({"text": text, "account": account}), now)
    answer = explain(read_active(read_settings().home, _open_lake(lake)), asked, now).model_dump(mode="json")
    print_json(answer) if as_json else print_explained(answer)


@app.command()
def serve() -> None:
    """Answer on CLOUT_HOST:CLOUT_PORT (127.0.0.1:3000) with the champion, until told to stop."""
    from clout.serving.start import become_server
    from clout.settings import read_settings

    become_server(read_settings(), os.environ)


@app.command()
def build(lake: LakeUrl = None, as_json: AsJson = False) -> None:
    """Build a Bento that serves the champion with the history of the lake, anywhere."""
    from clout.display import print_json
    from clout.serving.bento import build
    from clout.settings import read_settings

    bento = build(read_settings().home, _open_lake(lake))
    told = {"bento": str(bento.tag), "path": bento.path}
    print_json(told) if as_json else typer.echo(
        f"built {bento.tag} in {bento.path}\nserve it: bentoml serve {bento.tag}"
    )


def _open_lake(url: str | None) -> Lake:
    from clout.data.lake import Lake
    from clout.settings import read_settings

    return Lake(url or read_settings().lake)
