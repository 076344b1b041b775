"""`rag models`: the weights are listed, fetched or verified."""

from __future__ import annotations

import argparse

from rag import config
from rag.cli.output import DONE, FAILED, printable, progress_bar


def act(options: argparse.Namespace) -> int:
    """Does the chosen action; FAILED if a model is corrupt, or one that was asked for or is a default is missing."""
    from rag import models

    settings = config.load()
    chosen = [models.named(name) for name in options.names]
    if options.action == "fetch":
        with progress_bar("B") as progress:
            checks = models.fetch(options.names, settings.models, progress)
    else:
        anew = options.action == "verify"
        chosen = chosen or [
            m for m in models.registry().values() if not anew or m.default or (settings.models / m.name).is_dir()
        ]
        checks = tuple(models.check(model, settings.models, anew=anew) for model in chosen)
    print(f"models in {printable(settings.models)}")
    for check in checks:
        model = check.model
        default = ", default" if model.default else ""
        print(f"{check.status:8} {model.name:24} {model.role}{default}, {model.size / 1e6:,.0f} MB, {model.licence}")
        if check.status == "corrupt":
            print(f"{'':9}{check.detail} Run: rag models fetch {model.name}")
        if options.action == "list":
            print(f"{'':9}{model.about}")
    wanted = {check.model.name for check in checks if options.names or check.model.default}
    wrong = any(check.status == "corrupt" or (check.status == "missing" and check.model.name in wanted) for check in checks)
    return FAILED if wrong and options.action != "list" else DONE
