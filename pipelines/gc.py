"""`make gc`: delete image packs that no row refers to any more, for instance after a source changed or an ingest was killed.

Views that ingest made for an embedding stage that never ran go too; it would decode the pictures itself.
"""

import argparse
import os

from pipelines import views
from pipelines.lake import Lake


def main() -> None:
    """Delete and list them."""
    parser = argparse.ArgumentParser(prog="make gc", description=__doc__)
    parser.add_argument("--lake", default=os.environ.get("DERMOFORGE_LAKE") or "lake", help="lake URL (default: %(default)s)")
    lake = Lake(parser.parse_args().lake)
    views.drop(lake)
    gone = lake.collect_packs()
    print("\n".join([*gone, f"{len(gone)} packs deleted"]))


if __name__ == "__main__":
    main()
