"""What a fit of Keras has none of, said in words of its own to the checks that ask for it."""

from __future__ import annotations

from pipedoctor.fact import Cost, Fact, Split, Unavailable
from pipedoctor.facts.callbacks import Callbacks
from pipedoctor.facts.collator import Collator
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.end_token import EndToken
from pipedoctor.facts.evaluation import Evaluation
from pipedoctor.facts.generation import Generation
from pipedoctor.facts.head import Head
from pipedoctor.facts.label_tokens import LabelTokens
from pipedoctor.facts.samples import Samples
from pipedoctor.facts.save_dry_run import SaveDryRun
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.token_rows import TokenRows
from pipedoctor.facts.tokenizer import Tokenizer
from pipedoctor.facts.transform import Transform
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import Probe, probe


def _lacking(fact: type[Fact], reason: str) -> Probe:
    def measure(pipeline: Pipeline, _split: Split) -> Fact:
        if "trainer" in pipeline.parts:
            raise Unavailable(f"the model is one of Keras: {reason}")
        raise Unavailable(reason)

    return probe(fact, Cost.STATIC, "model")(measure)


callbacks = _lacking(Callbacks, "the callbacks of fit are told with the call of fit")
collator = _lacking(Collator, "fit of Keras has no collator")
columns = _lacking(Columns, "fit of Keras gets arrays, not a table with columns")
end_token = _lacking(EndToken, "fit of Keras gets arrays, not tokens of a tokenizer")
evaluation = _lacking(Evaluation, "fit of Keras has no compute_metrics")
generation = _lacking(Generation, "fit of Keras generates nothing when it evaluates")
head = _lacking(Head, "a model of Keras has outputs, and no config of a head")
label_tokens = _lacking(LabelTokens, "fit of Keras gets arrays, not tokens of a tokenizer")
samples = _lacking(Samples, "fit of Keras gets arrays, not rows to be collated")
save = _lacking(SaveDryRun, "fit of Keras saves only what a callback saves")
settings = _lacking(Settings, "fit of Keras takes no TrainingArguments")
token_rows = _lacking(TokenRows, "fit of Keras gets arrays, not rows of tokens")
tokenizer = _lacking(Tokenizer, "fit of Keras takes no tokenizer")
transform = _lacking(Transform, "fit of Keras gets arrays, not rows with a transform")
