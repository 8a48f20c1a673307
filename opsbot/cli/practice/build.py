"""`opsbot practice build`: the programs of the control plane and Prometheus, built once and kept in the cache."""

from __future__ import annotations

import sys
from argparse import Namespace


def run(args: Namespace) -> int:
    """Build what is missing; 0 when all is there."""
    from opsbot.cli.progress import Progress
    from opsbot.config import cache_folder
    from opsbot.practice.build import PLANE, PROMETHEUS, build, others

    cache, progress = cache_folder(), Progress()
    for recipe in (PLANE, PROMETHEUS):
        if args.what not in ("all", recipe.name):
            continue
        try:
            folder = build(recipe, cache, progress.tell, progress.say)
        finally:
            progress.clear()
        sys.stdout.write(f"{recipe.version}: {folder}\n")
        for old in others(recipe, cache):
            sys.stdout.write(f"  {old} belongs to another version; to free its room: rm -r {old}\n")
    return 0
