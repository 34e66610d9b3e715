"""Configs of other tools: told by their keys, read as those tools read them."""

from __future__ import annotations

from pathlib import Path

import pytest
import resources
from configs import codes, examined, found, settings_of, write

from pipedoctor.cli.verbs.check import DIALECTS
from pipedoctor.fact import Unavailable
from pipedoctor.targets import TargetError, dialects, resolve

TRL = "model_name_or_path: m\ndataset_name: d\ndataset_text_field: text\n"
FACTORY = (
    "model_name_or_path: m\nstage: sft\nfinetuning_type: lora\ndataset: d\ntemplate: llama3\n"
)
AXOLOTL = "base_model: m\ndatasets:\n  - path: d\n    type: alpaca\nlearning_rate: 2e-4\n"


@pytest.mark.parametrize(
    ("keys", "dialect"),
    [
        ("base_model micro_batch_size", "axolotl"),
        ("base_model datasets", "axolotl"),
        ("finetuning_type", "llamafactory"),
        ("stage template", "llamafactory"),
        ("dataset_text_field", "trl"),
        ("dataset_name packing", "trl"),
        ("compute_environment", "accelerate"),
        ("zero_optimization", "deepspeed"),
        ("model_name_or_path output_dir learning_rate", None),
        ("model_name_or_path dataset_name max_seq_length use_lora", None),
        ("train_file test_size early_stopping_patience", None),
    ],
)
def test_a_dialect_is_told_by_its_keys(keys: str, dialect: str | None) -> None:
    assert dialects.detect(dict.fromkeys(keys.split())) == dialect


def test_the_options_of_the_command_line_are_the_dialects() -> None:
    assert DIALECTS == dialects.NAMES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TRL, "trl sft arguments"),
        (FACTORY, "LLaMA-Factory 0.9.5 arguments"),
        (AXOLOTL, "Axolotl 0.19.0 arguments"),
    ],
)
def test_the_subject_says_whose_config_it_is_taken_for(
    tmp_path: Path, text: str, words: str
) -> None:
    target = resolve(write(tmp_path, text))
    assert words in target.subject[0]
    assert "not prepared" in target.not_loaded


def test_a_dialect_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "model_name_or_path: m\nlearning_rate: 1.0e-4\noutput_dir: o\n")
    assert resolve(path).subject == ("training arguments",)
    assert "Factory" in resolve(path, dialect="llamafactory").subject[0]
    axolotl = write(tmp_path, AXOLOTL)
    assert resolve(axolotl, dialect="huggingface").subject == ("training arguments",)


def test_a_config_without_any_key_of_the_named_dialect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TargetError, match=r"no key of .* is an argument of Axolotl 0\.19\.0 \(foo\)"
    ):
        resolve(write(tmp_path, "foo: 1\n"), dialect="axolotl")


@pytest.mark.parametrize("text", ["zero_optimization: {stage: 2}\n", "compute_environment: X\n"])
def test_a_config_that_stands_beside_one_is_told_where_it_goes(tmp_path: Path, text: str) -> None:
    with pytest.raises(TargetError, match="--with"):
        resolve(write(tmp_path, text))


def test_what_is_not_loaded_is_skipped_with_its_reason(tmp_path: Path) -> None:
    report = examined(write(tmp_path, AXOLOTL))
    (labels,) = [o for o in report.outcomes if o.rule.code == "LAB001"]
    assert "not prepared here yet" in labels.reason


# TRL


def test_trl_has_defaults_of_its_own(tmp_path: Path) -> None:
    settings = settings_of(resolve(write(tmp_path, TRL)))
    assert settings.learning_rate == 2e-5
    assert settings.logging_steps == 10
    assert settings.gradient_checkpointing is True
    assert settings.bf16 is True
    assert "TRL 1." in str(settings.where("learning_rate").origin)
    assert settings.where("weight_decay").origin is not None


def test_trl_takes_bf16_where_fp16_is_not_asked_for(tmp_path: Path) -> None:
    assert settings_of(resolve(write(tmp_path, TRL + "fp16: true\n"))).bf16 is False


def test_trl_is_dpo_where_only_that_knows_the_keys(tmp_path: Path) -> None:
    text = "dataset_name: d\nbeta: 0.1\nf_divergence_type: reverse_kl\nld_alpha: 1.0\n"
    target = resolve(write(tmp_path, text))
    assert target.subject[0] == "trl dpo arguments"
    assert settings_of(target).learning_rate == 1e-6


def test_trl_of_which_nothing_tells_the_command_is_assumed(tmp_path: Path) -> None:
    target = resolve(write(tmp_path, "dataset_name: d\nuse_peft: true\n"))
    assert target.subject[0] == "trl sft arguments (assumed)"


def test_trl_converts_texts(tmp_path: Path) -> None:
    text = TRL + 'learning_rate: 2e-5\nfp16: "false"\nmax_steps: "100"\nsave_steps: some\n'
    target = resolve(write(tmp_path, text))
    settings = settings_of(target)
    assert (settings.learning_rate, settings.fp16, settings.max_steps) == (2e-5, False, 100)
    told = found(examined(write(tmp_path, text)))
    (text_found,) = told["HYP005"]
    assert "save_steps" in text_found.message
    assert "TRL stops at it" in text_found.message


def test_trl_stops_at_an_unknown_key(tmp_path: Path) -> None:
    told = found(examined(write(tmp_path, TRL + "max_seq_length: 10\nfoo_bar: 1\nenv: {A: b}\n")))
    (renamed,) = told["HYP006"]
    assert renamed.remedy == 'replace it with "max_length": 10'
    (unknown,) = told["VER012"]
    assert unknown.message.startswith("foo_bar is no argument of TRL")


def test_a_lora_of_trl_needs_its_switch(tmp_path: Path) -> None:
    text = TRL + "lora_r: 16\nlearning_rate: 1.0e-6\n"
    assert codes(examined(write(tmp_path, text))) == ["LLM030"]
    assert codes(examined(write(tmp_path, text + "use_peft: true\n"))) == ["HYP002"]
    assert codes(examined(write(tmp_path, text + "use_peft: false\n"))) == []


# LLaMA-Factory


def test_llamafactory_reads_numbers_that_yaml_does_not(tmp_path: Path) -> None:
    for written, value in (("1e-4", 1e-4), ("1.0e5", 1e5), ("1_0e-5", 1e-4)):
        settings = settings_of(
            resolve(write(tmp_path, f"{FACTORY}learning_rate: {written}  # x\n"))
        )
        assert settings.learning_rate == value


@pytest.mark.parametrize(
    ("reads", "value"), [("yaml.safe_load", "1e-4"), ("OmegaConf.load", 1e-4)]
)
def test_an_installed_llamafactory_reads_as_its_release_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: str, value: object
) -> None:
    folder = tmp_path / "llamafactory" / "hparams"
    folder.mkdir(parents=True)
    for name in ("model", "data", "training", "generating"):
        (folder / f"{name}_args.py").touch()
    (folder / "finetuning_args.py").write_text(
        'class FinetuningArguments:\n    stage: str = "sft"\n    finetuning_type: str = "lora"\n'
    )
    (folder / "parser.py").write_text(f"config = {reads}(path)\n")
    (tmp_path / "llamafactory" / "__init__.py").touch()
    (tmp_path / "llamafactory-0.8.0.dist-info").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    target = resolve(write(tmp_path, FACTORY + "learning_rate: 1e-4\n"))
    assert target.subject == ("LLaMA-Factory 0.8.0 arguments",)
    assert target.parts["settings"]["learning_rate"] == value


def test_llamafactory_takes_what_stands_in_quotes_for_a_text(tmp_path: Path) -> None:
    report = examined(write(tmp_path, FACTORY + 'learning_rate: "1e-4"\n'))
    (finding,) = found(report)["HYP005"]
    assert finding.where.line == 6


def test_llamafactory_trains_a_lora_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    text = "stage: sft\ntemplate: llama3\ndataset: d\nlearning_rate: 1.0e-6\n"
    (finding,) = found(examined(write(tmp_path, text)))["HYP002"]
    assert finding.evidence["adapter_key"] == "finetuning_type"
    assert codes(examined(write(tmp_path, text + "finetuning_type: full\n"))) == []


def test_llamafactory_with_an_optimizer_of_its_own_is_not_judged_by_adamw(tmp_path: Path) -> None:
    text = FACTORY + "learning_rate: 1.0e-6\n"
    assert codes(examined(write(tmp_path, text))) == ["HYP002"]
    assert codes(examined(write(tmp_path, text + "use_badam: true\n"))) == []


def test_keys_of_llamafactory_are_judged_by_the_transformers_it_works_with(tmp_path: Path) -> None:
    settings = settings_of(resolve(write(tmp_path, FACTORY + "warmup_ratio: 0.1\n")))
    assert settings.arguments.version == "5.6.0"
    assert "warmup_ratio" in settings.arguments.fields
    text = FACTORY + "no_cuda: true\noverwrite_output_dir: true\nplot_loss: true\n"
    (finding,) = found(examined(write(tmp_path, text)))["VER006"]
    assert "the newest that LLaMA-Factory 0.9.5 works with" in finding.message


# Axolotl


def test_axolotl_in_the_usual_names(tmp_path: Path) -> None:
    text = AXOLOTL + "micro_batch_size: 2\nnum_epochs: 4\nlr_scheduler: linear\noptimizer:\n"
    settings = settings_of(resolve(write(tmp_path, text)))
    assert settings.per_device_train_batch_size == 2
    assert settings.per_device_eval_batch_size == 2
    assert settings.num_train_epochs == 4
    assert settings.lr_scheduler_type == "linear"
    assert settings.optim == "adamw_torch_fused"
    assert settings.learning_rate == 2e-4
    assert settings.where("num_train_epochs").line == 7
    assert settings.where("num_train_epochs").key == "num_epochs"
    assert settings.entry("per_device_train_batch_size", 4) == '"micro_batch_size": 4'
    assert settings.where("gradient_accumulation_steps").origin == "default of Axolotl 0.19.0"


def test_axolotls_own_defaults_are_never_trainers(tmp_path: Path) -> None:
    settings = settings_of(resolve(write(tmp_path, AXOLOTL)))
    assert settings.save_strategy == "epoch"
    assert settings.save_total_limit == 4
    assert settings.lr_scheduler_type == "cosine"
    assert settings.num_train_epochs == 1.0
    for name in ("warmup_steps", "logging_steps", "bf16"):
        with pytest.raises(Unavailable, match="Axolotl"):
            getattr(settings, name)


def test_axolotl_has_no_learning_rate_of_its_own(tmp_path: Path) -> None:
    text = "base_model: m\nmicro_batch_size: 1\n"
    with pytest.raises(Unavailable, match="no learning rate of its own"):
        _ = settings_of(resolve(write(tmp_path, text))).learning_rate


@pytest.mark.parametrize(
    ("epochs", "saves", "share"), [(3, 1, 1 / 3), (2, 4, 0.125), (1, 1, None), (4, 0, None)]
)
def test_axolotl_saves_so_often_an_epoch(
    tmp_path: Path, epochs: int, saves: int, share: float | None
) -> None:
    text = AXOLOTL + f"num_epochs: {epochs}\nsaves_per_epoch: {saves}\n"
    settings = settings_of(resolve(write(tmp_path, text)))
    if share is None:
        assert settings.save_strategy == "epoch"
    else:
        assert settings.save_strategy == "steps"
        assert settings.save_steps == pytest.approx(share)
        assert settings.where("save_steps").key == "saves_per_epoch"


@pytest.mark.parametrize("epochs", ["1" + "0" * 390, "1.0e-320", ".nan", ".inf", "[]", "true"])
def test_no_number_of_epochs_breaks_the_reading(tmp_path: Path, epochs: str) -> None:
    text = AXOLOTL + f"num_epochs: {epochs}\nsaves_per_epoch: 2\noptimizer: []\n"
    assert settings_of(resolve(write(tmp_path, text))).save_strategy in {"epoch", "steps"}


def test_axolotl_evaluates_only_where_there_is_data(tmp_path: Path) -> None:
    text = AXOLOTL + "num_epochs: 3\nevals_per_epoch: 2\n"
    assert settings_of(resolve(write(tmp_path, text))).eval_strategy == "no"
    settings = settings_of(resolve(write(tmp_path, text + "val_set_size: 0.1\n")))
    assert settings.eval_strategy == "steps"


def test_axolotl_makes_numbers_of_texts_but_not_of_words(tmp_path: Path) -> None:
    assert codes(examined(write(tmp_path, AXOLOTL + 'adapter: lora\nlora_r: "16"\n'))) == []
    text = AXOLOTL.replace("2e-4", "fast") + "adapter: lora\n"
    (finding,) = found(examined(write(tmp_path, text)))["HYP005"]
    assert "Axolotl stops at it" in finding.message
    assert finding.where.line == 5


def test_findings_on_axolotl_speak_of_its_keys(tmp_path: Path) -> None:
    text = AXOLOTL + "micro_batch_size: 0\nadapter: lora\nnum_epochs: 0\n"
    told = found(examined(write(tmp_path, text)))["HYP014"]
    assert [f.where.key for f in told] == ["micro_batch_size", "num_epochs"]
    assert told[0].message.startswith("micro_batch_size is 0")
    assert '"micro_batch_size": 1' in told[0].remedy
    assert '"num_epochs": 3' in told[1].remedy


def test_a_usual_name_is_unknown_to_axolotl_and_has_no_effect(tmp_path: Path) -> None:
    text = AXOLOTL + "adapter: lora\nper_device_train_batch_size: 8\nnum_train_epochs: 3\n"
    told = found(examined(write(tmp_path, text)))["HYP006"]
    assert [f.where.line for f in told] == [7, 8]
    assert told[0].message == (
        "per_device_train_batch_size is no key of Axolotl 0.19.0, which passes over it; "
        "micro_batch_size is, and it stays at its default, 1"
    )
    assert told[0].remedy == 'replace it with "micro_batch_size": 8'
    assert settings_of(resolve(write(tmp_path, text))).num_train_epochs == 1.0


def test_a_stranger_beside_axolotls_own_key(tmp_path: Path) -> None:
    text = AXOLOTL + "adapter: lora\nnum_train_epochs: 3\nnum_epochs: 2\nsequence_length: 512\n"
    told = found(examined(write(tmp_path, text)))["HYP006"]
    assert [f.where.line for f in told] == [7, 9]
    assert told[0].remedy == "delete the key: num_epochs is stated as well"
    assert told[1].remedy == 'replace it with "sequence_len": 512'


def test_a_misspelt_key_of_axolotl(tmp_path: Path) -> None:
    (finding,) = found(
        examined(write(tmp_path, AXOLOTL + "adapter: lora\nsampel_packing: true\n"))
    )["VER012"]
    assert "sample_packing is; Axolotl passes over it in silence" in finding.message


def test_a_bare_no_is_refused_by_axolotl_itself(tmp_path: Path) -> None:
    text = AXOLOTL + "adapter: lora\nsave_strategy: no\n"
    (finding,) = found(examined(write(tmp_path, text)))["HYP012"]
    assert "Axolotl stops at it" in finding.message


def test_a_lora_of_axolotl_needs_its_switch(tmp_path: Path) -> None:
    assert codes(examined(write(tmp_path, AXOLOTL + "lora_r: 16\n"))) == ["LLM030"]
    assert codes(examined(write(tmp_path, AXOLOTL + "lora_r: 16\nadapter:\n"))) == []


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (TRL + "load_in_4bit: true\n", '"use_peft": true'),
        (AXOLOTL + "load_in_8bit: true\n", '"adapter": "qlora"'),
        (FACTORY.replace("lora", "full") + "quantization_bit: 4\n", '"finetuning_type": "lora"'),
    ],
)
def test_a_quantised_model_needs_an_adapter(tmp_path: Path, text: str, remedy: str) -> None:
    (finding,) = found(examined(write(tmp_path, text)))["LLM016"]
    assert finding.remedy == f"set {remedy}"
    assert finding.where.line == text.count("\n")


@pytest.mark.parametrize(
    ("text", "full", "adapter"),
    [
        (FACTORY.replace("finetuning_type: lora\n", "") + "save_steps: 5\n", "full", "lora"),
        (AXOLOTL.replace("base_model: m\n", "base_model: MODEL\n"), "", "llama-adapter"),
    ],
)
def test_checkpoints_of_an_adapter_are_not_forecast_as_those_of_the_model(
    tmp_path: Path, text: str, full: str, adapter: str
) -> None:
    key = "adapter" if "base_model" in text else "finetuning_type"
    text = text.replace("model_name_or_path: m", "model_name_or_path: MODEL")
    text = text.replace("MODEL", str(resources.minilm())) + "output_dir: out\nmax_steps: 10\n"
    forecast = {}
    for value in (full, adapter):
        report = examined(write(tmp_path, f"{text}save_strategy: steps\n{key}: {value}\n"))
        (plan,) = [fact for fact in report.facts if fact["fact"] == "CheckpointPlan"]
        forecast[value] = "bytes_each" in plan
    assert forecast == {full: True, adapter: False}


OF_PLUGINS = "plugins:\n  - axolotl.integrations.swanlab.SwanLabPlugin\n"


def test_plugins_of_axolotl_have_keys_of_their_own(tmp_path: Path) -> None:
    own = "use_swanlab: true\nswanlab_project: p\n"
    assert "VER012" in codes(examined(write(tmp_path, AXOLOTL + own)))
    assert codes(examined(write(tmp_path, AXOLOTL + OF_PLUGINS + own))) == []
    misspelt = AXOLOTL + OF_PLUGINS + "context_parralel_size: 2\n"
    assert codes(examined(write(tmp_path, misspelt))) == ["VER012"]


def test_axolotl_takes_options_of_the_optimizer_as_a_mapping(tmp_path: Path) -> None:
    stated = "optim_args:\n  bf16_stochastic_round: true\n"
    assert codes(examined(write(tmp_path, AXOLOTL + stated))) == []
    assert codes(examined(write(tmp_path, "seed: 1\n" + stated))) == ["HYP014"]


def test_an_optimizer_that_the_tool_makes_itself(tmp_path: Path) -> None:
    assert codes(examined(write(tmp_path, f"{AXOLOTL}optimizer: muon\n"))) == []
    assert codes(examined(write(tmp_path, f"{AXOLOTL}optimizer: muom\n"))) == ["HYP014"]


@pytest.mark.parametrize("key", ["dist_config", "peft_config", "model_class"])
def test_the_other_trainer_of_llama_factory_is_declined(tmp_path: Path, key: str) -> None:
    config = f"model: m\ncutoff_len: 2048\ntrain_dataset: d.yaml\n{key}: x\n"
    with pytest.raises(TargetError, match=r"config.yaml is a config for .* USE_V1=1"):
        resolve(write(tmp_path, config))


def test_arguments_of_megatron_are_not_judged(tmp_path: Path) -> None:
    stated = "recompute_granularity: full\n"
    assert "VER012" in codes(examined(write(tmp_path, FACTORY + stated)))
    stated += "pipeline_model_parallel_size: 2\n"
    assert "VER012" not in codes(examined(write(tmp_path, FACTORY + stated)))


def test_llama_factory_has_the_arguments_of_generation(tmp_path: Path) -> None:
    config = write(tmp_path, FACTORY + "do_predict: true\npredict_with_generate: true\n")
    assert codes(examined(config)) == []


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("", 1),
        ("do_predict: true\n", 0),
        ("do_train: false\n", 0),
        ("do_train: true\n", 1),
        ("do_train: true\ntokenized_path: saves/tokens\n", 0),
        ("do_train: true\ntokenized_path: saves/tokens\nlearning_rate: 2e-5\n", 1),
    ],
)
def test_a_rate_is_judged_where_something_is_trained(
    tmp_path: Path, stated: str, told: int
) -> None:
    report = examined(write(tmp_path, FACTORY + stated))
    assert len(found(report).get("HYP002", ())) == told
