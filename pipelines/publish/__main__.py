"""`make publish`: show what publishing a release would send; with GO=1, do it."""

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.publish.publish import Published, chosen, publish
from pipelines.publish.tree import NotPublished


def main() -> int:
    """Command line; exit status 1 when nothing could be published, with the reason."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.getLogger("dermoforge").setLevel(logging.INFO)
    try:
        path = chosen(arguments.release, Path(os.environ.get("DERMOFORGE_RELEASES") or "releases"))
        done = publish(path, arguments.to, go=arguments.go, public=arguments.public)
    except NotPublished as error:
        print(f"not published: {error}", file=sys.stderr)
        return 1
    print("\n".join(_report(done, path)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make publish",
        description="Publish a finished release. Without GO=1 nothing is sent: the command says what it would send and delete.",
        epilog="Tokens come from HF_TOKEN or `hf auth login`, credentials of a store from its own variables (AWS_…). "
        "An interrupted publish is finished by the same command.",
    )
    parser.add_argument(
        "--to", required=True, metavar="TARGET", help="TO=hf://datasets/org/name, or an fsspec URL: TO=s3://bucket/folder"
    )
    parser.add_argument(
        "--release", default="", metavar="FOLDER", help="RELEASE=releases/… (default: the only one in DERMOFORGE_RELEASES)"
    )
    parser.add_argument("--go", action="store_true", help="GO=1: really publish")
    parser.add_argument(
        "--public", action="store_true", help="PUBLIC=1: create the repository public, or publish to a public one"
    )
    return parser


def _report(done: Published, path: Path) -> Iterator[str]:
    plan, facts = done.plan, done.plan.facts()
    manifest = plan.release.manifest
    licences = sorted({licence for names in manifest["licences"].values() for licence in names})
    yield f"release        {path} ({sum(manifest['samples'].values()):,} samples)"
    yield f"licences       profile {manifest['profile']}: {', '.join(licences)}"
    yield f"target         {plan.target} ({plan.state})"
    for what in ("new", "already there", "deleted"):
        yield f"{what:<14} {facts[f'{what}: files']:,} files, {facts[f'{what}: bytes'] / 1e6:,.1f} MB"
    if plan.left:
        yield f"left alone     {len(plan.left):,} files that are not of a release: {', '.join(plan.left[:5])}"
    yield (
        f"published      {done.revision}, read back and whole" if done.revision else "dry run: nothing was sent; GO=1 publishes"
    )


if __name__ == "__main__":
    sys.exit(main())
