"""Text: ``python -m benchmarks.nanogpt [--full] [--text FILE] [--only ROW] [-o DIR]``.

nanoGPT's configuration for CPUs (4 layers, 4 heads, width 128, blocks of 64 characters, batches of
12, 2000 steps): the float twin with the same recency bias and its learning rate searched, int8 and
ternary networks with binary attention and lookup tables for MLPs, all with the same budget; and
those of the presets: gpt-ulx3s, in which all blocks have the wiring of their tables in common, and
the smaller one of the iCEBreaker, by its own recipe.

The loss is that of the last weights over the whole held-out tenth, in blocks; of integer networks
by the golden run, and once more reading on from block to block if their context has no end. What
was trained is kept in DIR and used again. Quick by default: small networks, few steps.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.bars import Bar, add_full, json_text
from lutformer.console import notes, table
from lutformer.model.config.gpt import GptConfig, GptRecipe
from lutformer.model.config.presets import preset
from lutformer.model.costs.accounting import account, total
from lutformer.model.data.text import Text, load_text
from lutformer.model.network.gpt import Gpt
from lutformer.model.network.text_loss import endless_loss, golden_loss
from lutformer.model.nn.training.checkpoint import export_checkpoint
from lutformer.model.nn.training.run import CHECKPOINT_NAME
from lutformer.model.nn.training.train import progress_bar, train
from lutformer.model.storage.files import write_whole

__all__ = ["ROWS", "Variant", "measured"]

TEXT = "LUTFORMER_TEXT"
"""Variable of the environment that may name the file of the text."""
RATES = (1e-3, 3e-3, 6e-3, 1e-2)
"""Learning rates of the float twin."""

Row = dict[str, Any]


CPU_RECIPE = GptRecipe(epochs=2, interval=1000)
"""nanoGPT's number of steps for CPUs."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One row: a network, and how it is trained."""

    config: GptConfig
    recipe: GptRecipe = CPU_RECIPE

    def scaled(self, *, full: bool) -> tuple[GptConfig, GptRecipe]:
        """Return shape and recipe, or those of a small and short stand-in."""
        if full:
            return self.config, self.recipe
        small = replace(self.config, dim=32, depth=2, code_bits=8, luts=(128,), block_size=32)
        return small, GptRecipe(epochs=1, interval=60, warmup=10, lr=self.recipe.lr)


def _rows() -> dict[str, Variant]:
    chosen, small = preset("gpt-ulx3s").model, preset("gpt-icebreaker")
    assert isinstance(chosen, GptConfig)
    assert isinstance(small.model, GptConfig)
    assert isinstance(small.train, GptRecipe)
    unshared = replace(chosen, mapping="random")
    ternary = replace(unshared, positions="learned")  # as nanoGPT
    twin = ternary.float_twin()
    return {
        "ternary": Variant(config=ternary),
        "int8": Variant(config=replace(ternary, weights="int8")),
        **{
            f"float lr {rate:g}": Variant(config=twin, recipe=replace(CPU_RECIPE, lr=rate))
            for rate in RATES
        },
        "float lr 0.003, no bias": Variant(config=replace(twin, alibi=False)),
        "ternary, not tied": Variant(config=replace(ternary, tied=False)),
        "ternary, no positions": Variant(config=unshared),
        "gpt-ulx3s": Variant(config=chosen),
        "gpt-icebreaker": Variant(config=small.model, recipe=small.train),
    }


ROWS = _rows()
QUICK_ROWS = ("ternary", "float lr 0.003", "gpt-icebreaker")


def measured(name: str, text: Text, seed: int, folder: Path, *, full: bool) -> Row:
    """Train a row with a seed, or read what was measured before."""
    config, recipe = ROWS[name].scaled(full=full)
    config = replace(config, vocabulary=text.vocabulary.size)
    recipe = replace(recipe, seed=seed)
    place = folder / f"{name.replace(',', '').replace(' ', '-')}-seed-{seed}"
    key = {
        "config": config.to_dict(),
        "recipe": recipe.to_dict(),
        "text": text.fingerprint,
    }
    record = place / "result.json"
    if record.is_file() and (kept := json.loads(record.read_text()))["key"] == key:
        return kept["row"]
    with progress_bar(notes) as bar:
        result = train(config, recipe, text, place, bar, name=f"{name}, seed {seed}")
    loss, accuracy = result.validation_losses[-1], result.test_accuracy
    endless = multiplications = None
    if config.exact:
        network = export_checkpoint(place / CHECKPOINT_NAME)
        assert isinstance(network, Gpt)
        loss, accuracy = golden_loss(network, text)
        endless = round(endless_loss(network, text), 4) if network.endless else None
        multiplications = total(account(network)).multiplications // network.block_size
    row: Row = {
        "network": name,
        "seed": seed,
        "weights": config.weights,
        "steps": recipe.epochs * recipe.interval,
        "loss": round(loss, 4),
        "reading on": endless,
        "best": round(min(result.validation_losses), 4),
        "accuracy": round(100 * accuracy, 2),
        "multiplications a token": multiplications,
    }
    write_whole(record, json.dumps({"key": key, "row": row}, indent=2).encode())
    return row


def results(names: list[str], text: Text, seeds: int, folder: Path, *, full: bool) -> Iterator[Row]:
    """Yield the rows, seed by seed."""
    for seed in range(seeds):
        for name in names:
            row = measured(name, text, seed, folder, full=full)
            notes.print(f"{name}, seed {seed}: {row['loss']}")
            yield row


GAPS = {"int8": 0.10, "ternary": 0.19, "ternary, no positions": 0.19, "gpt-ulx3s": 0.19}
"""Nats a character by which a network of :data:`CPU_RECIPE` may be behind its float twin."""


def bars(rows: Sequence[Row], *, full: bool) -> list[Bar]:
    """Hold each network to the best float twin of its seed; none of those of the quick form."""
    twins: dict[int, float] = {}
    for row in rows:
        if row["weights"] == "float":
            twins[row["seed"]] = min(row["loss"], twins.get(row["seed"], row["loss"]))
    return [
        Bar(
            name=f"{row['network']}, seed {row['seed']}: loss less the best float twin's",
            value=round(row["loss"] - twins[row["seed"]], 4),
            at_most=GAPS[row["network"]],
        )
        for row in rows
        if full and row["network"] in GAPS and row["seed"] in twins
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_full(parser, "nanoGPT's configuration for CPUs: hours")
    parser.add_argument("--text", type=Path, help=f"UTF-8 file (else ${TEXT}, else pydoc's)")
    parser.add_argument("--only", action="append", choices=ROWS, help="this row; can be repeated")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/nanogpt"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    text = load_text(options.text or os.environ.get(TEXT) or "pydoc")
    folder = options.output / ("full" if options.full else "quick")
    names = options.only or list(ROWS if options.full else QUICK_ROWS)
    found = list(results(names, text, options.seeds, folder, full=options.full))
    if options.json:
        print(json_text(bars(found, full=options.full), found))
        return
    table(tuple(found[0]), [tuple(row.values()) for row in found])


if __name__ == "__main__":
    main()
