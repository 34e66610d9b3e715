from __future__ import annotations

import pytest
from engine.samples import Harvest, Weather, nothing_measured

from pipedoctor import Cost, Split, Unavailable
from pipedoctor.fact import OverBudget
from pipedoctor.parts import Lazy, Parts
from pipedoctor.pipeline import ProbeFailed, summaries
from pipedoctor.probe import probe


def counting(calls: list[object], cost: Cost = Cost.DATA, **keywords: object):
    @probe(Harvest, cost, **keywords)
    def measure(pipeline, split):
        calls.append(split)
        return Harvest(len(calls))

    return measure


def test_a_fact_is_measured_once_for_each_split() -> None:
    calls: list[object] = []
    pipeline = nothing_measured(counting(calls))
    for split in (Split.TRAIN, Split.EVAL, Split.TRAIN, None):
        pipeline.fact(Harvest, split)
    assert calls == [Split.TRAIN, Split.EVAL]


def test_a_failure_is_remembered_too() -> None:
    calls = []

    @probe(Weather, Cost.DATA, user_code=True)
    def fails(pipeline, split):
        calls.append(1)
        raise ZeroDivisionError("no rows")

    pipeline = nothing_measured(fails)
    for _ in range(2):
        with pytest.raises(ProbeFailed, match="ZeroDivisionError: no rows"):
            pipeline.fact(Weather)
    assert calls == [1]


def test_a_bug_of_ours_is_not_blamed_on_the_user() -> None:
    @probe(Weather, Cost.DATA)
    def fails(pipeline, split):
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError):
        nothing_measured(fails).fact(Weather)


OUR_IMPORT = """
def look():
    import barometer.of.brass
"""


@pytest.mark.parametrize("package", ["pipedoctor.frameworks", "a_users_package"])
def test_a_package_that_our_own_code_lacks_is_unknown_and_one_of_the_users_is_an_error(
    package: str,
) -> None:
    names = {"__package__": package}
    exec(OUR_IMPORT, names)

    @probe(Weather, Cost.DATA, user_code=True)
    def measure(pipeline, split):
        names["look"]()

    with pytest.raises((Unavailable, ProbeFailed)) as told:
        nothing_measured(measure).fact(Weather)
    assert isinstance(told.value, Unavailable) == package.startswith("pipedoctor")
    if package.startswith("pipedoctor"):
        assert "barometer is not installed for this Python" in str(told.value)


def test_the_cheapest_source_is_tried_first_and_the_next_one_where_it_cannot_tell() -> None:
    tried = []

    @probe(Weather, Cost.FORWARD)
    def dear(pipeline, split):
        tried.append("dear")
        return Weather(1)

    @probe(Weather, Cost.STATIC)
    def cheap(pipeline, split):
        tried.append("cheap")
        raise Unavailable("fog")

    assert nothing_measured(dear, cheap).fact(Weather).degrees == 1
    assert tried == ["cheap", "dear"]


def test_a_dearer_source_over_the_budget_outranks_a_cheaper_one_that_could_not_tell() -> None:
    @probe(Weather, Cost.FORWARD)
    def dear(pipeline, split):
        raise AssertionError("must not run")

    @probe(Weather, Cost.STATIC)
    def cheap(pipeline, split):
        raise Unavailable("fog")

    with pytest.raises(OverBudget, match="needs --depth forward") as caught:
        nothing_measured(dear, cheap, budget=Cost.FILES).fact(Weather)
    assert caught.value.cost is Cost.FORWARD


def test_a_missing_part_is_named() -> None:
    @probe(Harvest, Cost.DATA, "{data}", "tokenizer")
    def measure(pipeline, split):
        return Harvest(1)

    pipeline = nothing_measured(measure, parts={"train_data": [1]})
    with pytest.raises(Unavailable, match="no tokenizer was given"):
        pipeline.fact(Harvest, Split.TRAIN)
    with pytest.raises(Unavailable, match="no eval data was given"):
        pipeline.fact(Harvest, Split.EVAL)


def test_nobody_knows_how_to_measure_it() -> None:
    with pytest.raises(Unavailable, match="nothing was given that tells the weather"):
        nothing_measured().fact(Weather)


def test_the_splits_are_those_with_data() -> None:
    assert nothing_measured().splits == (Split.TRAIN,)
    both = nothing_measured(parts={"train_data": [1], "eval_data": [2]})
    assert both.splits == (Split.TRAIN, Split.EVAL)


def test_summaries_tell_what_was_measured() -> None:
    pipeline = nothing_measured(counting([]))
    pipeline.fact(Harvest, Split.EVAL)
    (told,) = summaries(pipeline.measurements)
    assert (told["fact"], told["split"]) == ("Harvest", "eval")
    assert told["seconds"] >= 0


def test_parts_have_one_table_of_names() -> None:
    with pytest.raises(TypeError, match="unknown part 'modle'"):
        Parts({"modle": 1})


def test_a_lazy_part_is_loaded_at_most_once_and_not_before_it_is_read() -> None:
    calls = []
    parts = Parts({"model": Lazy(lambda: calls.append(1) or "loaded", "torch")})
    assert parts.packages("model") == ("torch",)
    assert list(parts) == ["model"]
    assert "model" in parts
    assert not calls
    assert [parts["model"], parts["model"]] == ["loaded", "loaded"]
    assert calls == [1]


def test_a_lazy_part_that_fails_fails_alike_each_time() -> None:
    def load():
        raise OSError("gone")

    parts = Parts({"model": Lazy(load)})
    errors = []
    for _ in range(2):
        with pytest.raises(OSError, match="gone") as caught:
            _ = parts["model"]
        errors.append(caught.value)
    assert errors[0] is errors[1]


def test_the_nearest_package_of_a_part_comes_first() -> None:
    class Mine(dict):
        pass

    assert Parts({"model": Mine()}).packages("model") == (__name__.partition(".")[0], "builtins")


def names_what_is_missing(package: str):
    @probe(Weather, Cost.DATA, user_code=True)
    def measure(pipeline, split):
        exec(compile("missing", "code.py", "exec"), {"__package__": package})

    return measure


def test_a_name_missing_in_our_own_code_is_not_called_the_users_fault() -> None:
    with pytest.raises(NameError):
        nothing_measured(names_what_is_missing("pipedoctor.probes")).fact(Weather)
    with pytest.raises(ProbeFailed):
        nothing_measured(names_what_is_missing("theirs")).fact(Weather)


def test_nor_is_one_that_we_import() -> None:
    @probe(Weather, Cost.DATA, user_code=True)
    def measure(pipeline, split):
        from pipedoctor.fact import no_such_name  # noqa: F401

    with pytest.raises(ImportError):
        nothing_measured(measure).fact(Weather)
