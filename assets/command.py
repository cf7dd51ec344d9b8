"""`dermoforge`: the pipeline from a shell. Thin over what the UI runs; `dermoforge COMMAND --help` explains each command.

Exit status: 0 all is well, 1 something failed or is not as it should be, 2 a wrong argument or setting.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    name="dermoforge", help=__doc__, no_args_is_help=True, add_completion=True, pretty_exceptions_show_locals=False
)
sources_app = typer.Typer(help="The open image sets: what there is, what it permits, whether it changed.", no_args_is_help=True)
app.add_typer(sources_app, name="sources")

STYLES = {"ok": "green", "warning": "yellow", "fault": "red"}
Sources = Annotated[
    str, typer.Option("--sources", "-s", envvar="DERMOFORGE_SOURCES", help="the corpus: names, comma-separated")
]
Port = Annotated[int, typer.Option(help="of the UI")]


@app.callback(help=__doc__)
def configured(
    config: Annotated[
        str, typer.Option(help="a file with settings, such as config/laptop.env; what the environment says goes before")
    ] = "",
) -> None:
    """Read the settings of a file before a command runs."""
    from assets.environment import read_environment

    try:
        read_environment(config) if config else None
    except (ValueError, OSError) as error:
        _refuse(str(error))


def _console(columns: int = 110) -> Console:
    """As wide as the terminal, and wide enough for tables where the output is a file."""
    return Console(width=None if sys.stdout.isatty() else columns)


def _settings(sources: str) -> Any:
    """The settings of the environment for these sources, checked. Ends with status 2 for a wrong one."""
    os.environ["DERMOFORGE_SOURCES"] = sources
    from assets.settings import Settings, chosen_sources
    from sources.catalogue import source

    settings = Settings()
    try:
        names = [source(name).name for name in chosen_sources()]
        settings.check()
    except (ValueError, OSError) as error:
        _refuse(str(error))
    return settings, names


def _home() -> None:
    """Where runs are remembered: DAGSTER_HOME, or .dagster here, with the project's configuration."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(Path.cwd() / ".dagster")))
    kept, ours = home / "dagster.yaml", Path(__file__).parents[1] / "dagster.yaml"
    if not kept.exists() and ours.exists():
        home.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(ours.read_bytes())


def _refuse(why: str) -> NoReturn:
    print(why, file=sys.stderr)
    raise typer.Exit(2)


def _talk() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.getLogger("dermoforge").setLevel(logging.INFO)


def _hand_over(module: str, arguments: Iterable[str]) -> None:
    """Run a command of the pipelines that stands by itself, with its own exit status."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode)


@app.command()
def build(
    sources: Sources = "phantom",
    only: Annotated[
        str, typer.Option(help="assets to make, comma-separated; +name takes what it needs too, name+ what follows")
    ] = "",
) -> None:
    """Make the corpus, or a part of it: what is up to date already costs seconds. The run is seen in the UI."""
    _home()
    settings, names = _settings(sources)
    from assets.corpus import run_corpus

    raise typer.Exit(run_corpus(settings, names, only))


@app.command()
def status(sources: Sources = "phantom") -> None:
    """What is missing or out of date, why, and what the teacher's share would cost. Changes nothing; status 1 when something is due."""
    settings, names = _settings(sources)
    from pipelines.status import due
    from pipelines.teach.engines import open_engine
    from pipelines.teach.requests import EngineUnavailable

    config = settings.teacher_config()
    try:
        teacher = open_engine(settings.lake(), config).teacher
    except EngineUnavailable as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    where = (settings.releases_path(), settings.release_profile(), settings.cleared_images())
    rows = list(due(settings.lake(), names, teacher, config, *where))
    if not rows:
        print(f"{', '.join(names)}: everything in {settings.lake_url} is up to date")
        return
    table = Table("source", "stage", "how many", "why", "cost", title="due")
    for row in rows:
        table.add_row(row.source, row.stage, f"{row.count:,}", row.why, row.cost)
    _console(140).print(table)
    raise typer.Exit(1)


@sources_app.command("list")
def sources_list() -> None:
    """Every set of the catalogue, one a line."""
    _hand_over("sources.catalogue", ["list"])


@sources_app.command("show")
def sources_show(name: str) -> None:
    """All that is known of one set: licence, files, traps, how to get it."""
    _hand_over("sources.catalogue", ["show", name])


@sources_app.command("licences")
def sources_licences() -> None:
    """Every licence and what it permits."""
    _hand_over("sources.catalogue", ["licences"])


@sources_app.command("changes")
def sources_changes(name: Annotated[str, typer.Argument(help="a set; all that were fetched, without")] = "") -> None:
    """Ask the publishers whether what was fetched is still what they publish; status 1 when it is not."""
    _hand_over("sources.catalogue", ["changes", *([name] if name else [])])


@sources_app.command("fetch")
def sources_fetch(names: list[str]) -> None:
    """Fetch the published files of sets into the cache, resuming what was cut short; nothing is read yet."""
    settings, known = _settings(",".join(names))
    from pipelines.gather import gather
    from sources.catalogue import source

    _talk()
    failed = 0
    for name in known:
        try:
            got = gather(source(name), mirror=settings.mirror or None, cache=settings.cache)
        except Exception as error:  # whatever one set's publisher does, the others are fetched
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
            continue
        size = sum(file.size for file in got.located)
        print(
            f"{name}: {len(got.located)} files, {size / 1e6:,.1f} MB"
            + (f", {len(got.dead)} addresses without an image" if got.dead else "")
        )
    raise typer.Exit(1 if failed else 0)


@app.command()
def teach(sources: Sources = "phantom") -> None:
    """Ask the teacher what the ledger lacks, and judge the answers: the assets `completions` and `trajectories`."""
    _home()
    settings, names = _settings(sources)
    from assets.corpus import run_corpus

    raise typer.Exit(run_corpus(settings, names, "completions,trajectories"))


@app.command()
def check(sources: Sources = "phantom") -> None:
    """Judge all stored answers again and verify the newest release file by file. Asks no teacher; status 1 when something is damaged."""
    settings, names = _settings(sources)
    from pipelines.judge import judge
    from pipelines.release import ReleaseDamaged, latest, verified
    from pipelines.teach.engines import open_engine

    lake, config, table = (
        settings.lake(),
        settings.teacher_config(),
        Table("source", "status", "trajectories", title="trajectories"),
    )
    for name in names:
        judge(lake, name, open_engine(lake, config).teacher, config)
        for state, count in _tally(lake.read("trajectories", source=name, columns=["status"])).items():
            table.add_row(name, state, f"{count:,}")
    _console().print(table)
    found = latest(lake, names, settings.releases_path(), settings.release_profile(), settings.cleared_images())
    if found is None:
        print("the samples in the lake have not been released")
        return
    try:
        verified(settings.releases_path() / found["version"])
    except ReleaseDamaged as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    print(f"{found['version']}: {len(found['files']):,} files, each as its manifest says")


def _tally(rows: Any) -> dict[str, int]:
    from assets.describe import tally

    return tally(rows, "status")


@app.command()
def ledger(price: Annotated[float, typer.Option(help="of a GPU hour, to add the cost")] = 0.0) -> None:
    """What the teacher's ledger holds: answers, failures, tokens and hours by stage and prompt version."""
    _hand_over("pipelines.teach.spent", ["--price", str(price)] if price else [])


@app.command()
def review(
    file: Annotated[str, typer.Argument(help="a JSON export of Label Studio to take in; without it the queue is written")] = "",
) -> None:
    """Write the review queue for Label Studio, or take an export of it back in."""
    _hand_over("pipelines.review", [file] if file else [])


@app.command()
def publish(
    to: Annotated[str, typer.Option(help="hf://datasets/org/name, or an fsspec URL such as s3://bucket/folder")],
    release: Annotated[str, typer.Option(help="folder of the release; the only one there is, without")] = "",
    go: Annotated[bool, typer.Option("--go", help="really publish; otherwise it is said what would be sent")] = False,
    public: Annotated[bool, typer.Option("--public", help="create the repository public, or publish to a public one")] = False,
) -> None:
    """Send a release to the Hugging Face Hub or a store, in one commit; finished by running it again."""
    given = [
        "--to",
        to,
        *(["--release", release] if release else []),
        *(["--go"] if go else []),
        *(["--public"] if public else []),
    ]
    _hand_over("pipelines.publish", given)


@app.command()
def report(
    sources: Sources = "phantom",
    public: Annotated[
        bool, typer.Option("--public", help="only what a release may show; otherwise everything, for local eyes")
    ] = False,
) -> None:
    """Write the report of the corpus, one HTML file."""
    _, names = _settings(sources)
    _hand_over("pipelines.report", ["--sources", ",".join(names), *(["--public"] if public else [])])


@app.command()
def diff(old: str, new: str) -> None:
    """What changed between two release folders, and why, with the bytes that would be uploaded."""
    _hand_over("pipelines.diff", [old, new])


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
def benchmark(context: typer.Context) -> None:
    """The held-out split as eleven tasks: build, predict, baselines, leaderboard; `--help` explains each."""
    _hand_over("pipelines.benchmark", context.args or ["--help"])


@app.command()
def sql(statement: Annotated[str, typer.Argument(help="one statement; a shell, without")] = "") -> None:
    """DuckDB with a view on every table of the lake."""
    _hand_over("pipelines.sql", [statement] if statement else [])


@app.command()
def ui(port: Port = 3000) -> None:
    """Open the Dagster UI with its daemon on 127.0.0.1."""
    _home()
    dagster = Path(sys.executable).with_name("dagster")
    raise typer.Exit(subprocess.run([str(dagster), "dev", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode)


@app.command()
def doctor(port: Port = 3000) -> None:
    """Look for what would stop a run: versions, disk, lake, ports, Ray, GPU, weights, credentials. Status 1 when there is a fault."""
    from assets.settings import WRONG, Settings
    from pipelines.doctor import Finding, Place, examine
    from pipelines.lake import Lake

    settings = Settings()
    place = Place(
        Lake(settings.lake_url),
        settings.releases_path(),
        Path(settings.cache),
        settings.teacher_config,
        settings.embedder,
        settings.publish_to,
        port,
        os.environ.get("DAGSTER_HOME", ".dagster"),
        tuple(WRONG),
    )
    table, worst = Table("", "what", "found", "remedy", title="doctor"), list[Finding]()
    for finding in examine(place):
        table.add_row(f"[{STYLES[finding.level]}]{finding.level}[/]", finding.what, finding.found, finding.remedy)
        worst += [finding] if finding.level == "fault" else []
    _console(150).print(table)
    raise typer.Exit(1 if worst else 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of the `dermoforge` script."""
    app(arguments)
