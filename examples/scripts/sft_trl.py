"""
Teach a small language model to answer questions, with TRL and LoRA.

    python examples/scripts/sft_trl.py --data examples/qnli/facts.csv --output_dir out/sft

No model is loaded: a Llama of a few layers is built, and a tokenizer trained on the data.
"""

import argparse

import torch
from datasets import load_dataset
from peft import LoraConfig
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed
from trl import SFTConfig, SFTTrainer


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="a CSV file with questions and sentences")
    parser.add_argument("--output_dir", default="out/sft")
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--max_length", type=int, default=128)
    parser.add_argument("--vocab_size", type=int, default=800)
    parser.add_argument("--lora_r", type=int, default=0, help="0 trains all weights")
    parser.add_argument("--packing", action="store_true")
    return parser.parse_args()


def new_tokenizer(texts, size):
    """Return a byte-level BPE with the marks that a chat needs."""
    special = ["<pad>", "<s>", "</s>"]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side="right",
    )


def new_model(tokenizer, positions):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=positions,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def main():
    args = parse()
    set_seed(3)
    raw = load_dataset("csv", data_files=args.data, split="train")
    texts = [*raw["question"], *raw["indirect_question"], *raw["sentence"]]
    tokenizer = new_tokenizer(texts, args.vocab_size)
    model = new_model(tokenizer, positions=256)

    def pair(row):
        return {
            "prompt": f"Question: {row['question']}\nAnswer:",
            "completion": f" {row['sentence']}",
        }

    data = raw.map(pair, remove_columns=raw.column_names)
    data = data.train_test_split(test_size=0.1, seed=3)
    adapter = None
    if args.lora_r:
        adapter = LoraConfig(
            r=args.lora_r,
            lora_alpha=2 * args.lora_r,
            target_modules=["q_proj", "v_proj"],
            modules_to_save=["lm_head", "embed_tokens"],
            task_type="CAUSAL_LM",
        )
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=args.output_dir,
            learning_rate=args.learning_rate,
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.batch_size,
            max_length=args.max_length,
            packing=args.packing,
            eval_strategy="epoch",
            save_strategy="epoch",
            logging_steps=5,
            warmup_steps=4,
            lr_scheduler_type="cosine",
            bf16=torch.cuda.is_available(),
            report_to="none",
        ),
        train_dataset=data["train"],
        eval_dataset=data["test"],
        processing_class=tokenizer,
        peft_config=adapter,
    )
    trainer.train()
    trainer.save_model(args.output_dir)


if __name__ == "__main__":
    main()
