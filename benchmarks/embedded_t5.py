"""`python -m benchmarks.embedded_t5 --base FOLDER --out FOLDER`: the embedded encoder-decoder; repeat it to go on.

spans    does it use what it reads: nats per lost token of held-out novels with the text around it, and with another text
tuning   what lora and full gain over the untouched base on the embedded instruction sample

Every part is kept in the folder once it is done; the numbers go to docs/results/foundations/embedded_t5.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from transformers import AutoModelForSeq2SeqLM

from accordeur.evidence.metric import Metric, RowStatistics, mean, score
from accordeur.evidence.pairing import paired_difference
from accordeur.example import Encoded
from accordeur.foundations import corpus, stored
from accordeur.foundations.default import EMBEDDED
from accordeur.foundations.families import HELD_OUT_SEED
from accordeur.foundations.rows import SpanRows, once
from accordeur.foundations.tokenizers import open_tokenizer
from accordeur.store import is_sealed, sealed_folder
from accordeur.training.device import plan_device
from accordeur.training.network import Network
from accordeur.training.scoring import log_probs
from benchmarks._pairs import bounds
from benchmarks.embedded import Asked, measure, tuning

NATS = Metric(name="nats per lost token", finish=mean, higher_is_better=False, unit="nats", bounds=None)


def spans(asked: Asked) -> dict[str, Any]:
    """The same spans twice, once with the row that they were taken from and once with the next one, which lost as many."""
    tokenizer = open_tokenizer(asked.base)
    ids = asked.out / "ids"
    if not is_sealed(ids):
        with sealed_folder(ids) as staging:
            stored.write_ids(corpus.pieces(asked.request.held_out), tokenizer, staging, end_id=int(tokenizer.eos_token_id))
    held_out = SpanRows(stored.open_ids(ids), asked.request.shape.context, tokenizer, seed=HELD_OUT_SEED)
    rows = list(once(held_out))
    strangers = [replace(row, tokens=other.tokens) for row, other in zip(rows, rows[1:] + rows[:1], strict=True)]
    marks = [*held_out.corruption.sentinels, held_out.corruption.end_id]
    model = AutoModelForSeq2SeqLM.from_pretrained(asked.base, local_files_only=True, dtype="float32").eval()
    own, other = (row_nats(Network(model, "seq2seq"), part, marks, int(tokenizer.pad_token_id)) for part in (rows, strangers))
    gain = bounds(paired_difference(other, own, NATS))
    return {"rows": len(rows), "own": score(own, NATS), "other": score(other, NATS), "gain": gain}


def row_nats(network: Network, rows: Sequence[Encoded], marks: Sequence[int], pad: int) -> RowStatistics:
    """Nats per lost token of each row, sentinels and the end left out."""
    scored = log_probs(network, rows, plan_device("cpu"), pad)
    nats = [-found[~np.isin(np.asarray(row.target), marks)].mean() for row, found in zip(rows, scored, strict=True)]
    return RowStatistics(values=np.array([[[value, 1.0] for value in nats]]))


if __name__ == "__main__":
    measure("embedded_t5", EMBEDDED.with_name("accordeur-mini-t5"), {"spans": spans, "tuning": tuning}, __doc__)
