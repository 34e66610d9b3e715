"""Language models, as run_clm and run_mlm prepare them: texts joined and cut into blocks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.loading.prepared import Label, Prepared
from pipedoctor.frameworks.loading.raw import file_of
from pipedoctor.frameworks.loading.task import Get, Task, refuse_missing_texts

AT_ONCE = 1000
"""The scripts join this many texts at a time, and drop what is left over of each lot."""

ENOUGH = 2_000_000
"""So many bytes of text are tokenised, a matter of seconds; of more, only the first lots are."""

TOO_LONG = 16 * ENOUGH
"""A first lot of more bytes than this is not tokenised at all."""

LONGEST = 1024
"""What the scripts take for a block where neither model nor config set a lower limit."""


class Language(Task):
    """Rows of tokens, cut from texts that are joined."""

    def finish(self, model: Any, tokenizer: Get) -> None:
        """Make room for the tokens that the tokenizer has and the model has not."""
        tokens = len(tokenizer())
        if tokens > model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(tokens)

    def held(self, split: Split) -> Any:
        """Return the data of a split; without validation data a part of the other is held out."""
        if Split.EVAL in self._raw():
            return self.raw(split)
        data = self.raw(Split.TRAIN)
        border = round(len(data) * self.recipe.eval_percent / 100)
        rows = range(border) if split is Split.EVAL else range(border, len(data))
        return data.select(rows, new_fingerprint=f"held {split.value}")

    def text(self, data: Any) -> str:
        """Return the column of texts."""
        names = data.column_names
        return "text" if "text" in names else str(names[0])

    def blocks(self, data: Any, split: Split, tokenizer: Get, size: int) -> Prepared:
        """Return the blocks, or the first of them if there is too much text for all."""
        text = self.text(data)
        refuse_missing_texts(data, (text,), self.named(split))
        some = self._enough(data, text)
        options = {"batched": True, "keep_in_memory": True, "load_from_cache_file": False}

        def tokenise(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
            return self.tokenise(tokenizer(), rows[text])

        def group(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
            return self.group(rows, size)

        columns = data.column_names
        made = some.map(
            tokenise, remove_columns=columns, batch_size=AT_ONCE, new_fingerprint="t", **options
        ).map(group, batch_size=AT_ONCE, new_fingerprint="g", **options)
        label = Label("labels", "labels", per_token=True) if "labels" in made.features else None
        most = self.recipe.max_train_rows if split is Split.TRAIN else self.recipe.max_eval_rows
        complete = len(some) == len(data) or (most is not None and most <= len(made))
        return Prepared(
            raw=self.cut(made, split),
            preprocess=None,
            file=file_of(self.recipe, split),
            texts=(),
            label=label,
            complete=complete,
        )

    def tokenise(self, tokenizer: Any, texts: list[str]) -> Mapping[str, list[Any]]:
        """Return the tokens of texts."""
        made: Mapping[str, list[Any]] = tokenizer(texts)
        return made

    def group(self, rows: Mapping[str, list[Any]], size: int) -> dict[str, list[Any]]:
        """Join the tokens of all rows, and cut them into blocks; what is left over is dropped."""
        joined = {name: list(chain(*lists)) for name, lists in rows.items()}
        end = len(next(iter(joined.values()), [])) // size * size
        return {
            name: [tokens[i : i + size] for i in range(0, end, size)]
            for name, tokens in joined.items()
        }

    def _enough(self, data: Any, text: str) -> Any:
        import numpy as np

        total = np.cumsum(arrow.lengths(data, (text,)))
        if not len(total) or total[-1] <= ENOUGH:
            return data
        lots = int(np.searchsorted(total, ENOUGH)) // AT_ONCE + 1
        some = data.select(range(min(lots * AT_ONCE, len(data))), new_fingerprint="first lots")
        if total[len(some) - 1] > TOO_LONG:
            raise Unavailable(
                f"the first {len(some):,} texts have {total[len(some) - 1]:,} bytes, too many to "
                "tokenise only to look at them"
            )
        return some


class CausalLanguage(Language):
    """Blocks whose labels are the tokens themselves."""

    model_class = "AutoModelForCausalLM"

    def prepare(self, split: Split, tokenizer: Get, config: Get) -> Prepared:
        """Return the blocks with their labels."""
        positions = getattr(config(), "max_position_embeddings", LONGEST)
        limit = tokenizer().model_max_length
        if self.recipe.block_size is not None:
            size = min(self.recipe.block_size, limit)
        elif limit > positions:
            size = min(LONGEST, positions) if positions > 0 else LONGEST
        else:
            size = limit
        return self.blocks(self.held(split), split, tokenizer, size)

    def group(self, rows: Mapping[str, list[Any]], size: int) -> dict[str, list[Any]]:
        """Cut the blocks, and copy the tokens for labels."""
        made = super().group(rows, size)
        made["labels"] = list(made["input_ids"])
        return made

    def collator(self, tokenizer: Get) -> Any:  # noqa: ARG002 - blocks have one length
        """Return the collator that pads nothing."""
        from transformers import default_data_collator

        return default_data_collator


class MaskedLanguage(Language):
    """Blocks, or lines, of which the collator masks some tokens."""

    model_class = "AutoModelForMaskedLM"

    def prepare(self, split: Split, tokenizer: Get, config: Get) -> Prepared:  # noqa: ARG002 - for the others
        """Return the blocks or the lines."""
        limit = tokenizer().model_max_length
        if self.recipe.max_length is not None:
            size = min(self.recipe.max_length, limit)
        else:
            size = min(limit, LONGEST)
        data = self.held(split)
        if self.recipe.line_by_line:
            return self._lines(data, split, tokenizer, size)
        return self.blocks(data, split, tokenizer, size)

    def tokenise(self, tokenizer: Any, texts: list[str]) -> Mapping[str, list[Any]]:
        """Return the tokens of texts, and which are special: those are never masked."""
        made: Mapping[str, list[Any]] = tokenizer(texts, return_special_tokens_mask=True)
        return made

    def collator(self, tokenizer: Get) -> Any:
        """Return the collator that masks."""
        from transformers import DataCollatorForLanguageModeling

        return DataCollatorForLanguageModeling(
            tokenizer(),
            mlm_probability=self.recipe.mlm_probability,
            pad_to_multiple_of=self.recipe.pad_to_multiple,
        )

    def _lines(self, data: Any, split: Split, tokenizer: Get, size: int) -> Prepared:
        """Return a row for each line that is not blank."""
        import pyarrow.compute as pc

        text = self.text(data)
        refuse_missing_texts(data, (text,), self.named(split))
        lines = arrow.column(data, text)
        blank = pc.or_(pc.utf8_is_space(lines), pc.equal(pc.binary_length(lines), 0))
        rows = (
            pc.indices_nonzero(pc.invert(blank)).cast("int64").to_numpy()
        )  # of uint64, select fails
        data = data.select(rows, keep_in_memory=True, new_fingerprint="lines")
        padding = "max_length" if self.recipe.pad_to_max_length else False

        def preprocess(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
            made: Mapping[str, list[Any]] = tokenizer()(
                rows[text],
                padding=padding,
                truncation=True,
                max_length=size,
                return_special_tokens_mask=True,
            )
            return made

        return Prepared(
            raw=self.cut(data, split),
            preprocess=preprocess,
            file=file_of(self.recipe, split),
            texts=(text,),
            removes=(text,),
        )
