"""
Preparing a run as the script that reads its config would: model, tokenizer, data, collator.

Nothing is fetched from a network, nothing is written to the user's folders or caches, and only
those rows are tokenised that somebody asks for. What can't be had here raises `Unavailable`;
what is there but broken raises what the script would meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipedoctor.fact import Split
from pipedoctor.parts import Lazy

if TYPE_CHECKING:
    from pipedoctor.frameworks.loading.run import Run
    from pipedoctor.targets.recipe import Recipe


def parts(recipe: Recipe) -> dict[str, Lazy]:
    """Return the parts that a recipe stands for; each is loaded when a probe asks for it."""
    run: list[Run] = []

    def prepared() -> Run:
        if not run:
            from pipedoctor.frameworks.loading.run import Run

            run.append(Run(recipe))
        return run[0]

    found = {
        "model": Lazy(lambda: prepared().load_model(), "transformers"),
        "blueprint": Lazy(lambda: prepared().load_blueprint(), "transformers"),
        "tokenizer": Lazy(lambda: prepared().load_tokenizer(), "transformers"),
        "collator": Lazy(lambda: prepared().load_collator(), "transformers"),
    }
    if recipe.has_data(Split.TRAIN):
        found["train_data"] = Lazy(lambda: prepared().load_data(Split.TRAIN), "datasets")
    if recipe.has_data(Split.EVAL):
        found["eval_data"] = Lazy(lambda: prepared().load_data(Split.EVAL), "datasets")
    return found
