"""Labels that are probably wrong: confident learning (Northcutt et al. 2021) on leave-one-out probabilities of TF-IDF.

The probabilities come from the class means of TF-IDF vectors, each row judged by the means without itself: exact, and in
one matrix product. `benchmarks/labels.py` holds them against five folds of the method `tfidf`: on banking77 with 5 % of the
labels flipped they find more (93 % at 73 % precision, against 71 % at 70 %) in two hundredths of the time, for a mean
hardly follows one wrong label, while a fitted weight does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.shingles import tfidf_blocks
from accordeur.audit.subject import Subject
from accordeur.data.split import is_classes

Matrix = npt.NDArray[np.float32]
LEAST_ROWS = 50
MOST_CLASSES = 500
MOST_FITTED = 5000  # rows that the temperature is chosen on
DOUBT = 0.3  # how many times less than chance the given label's share of the confidence usual in its class must be


def look(subject: Subject) -> Seen:
    """The rows whose label another one clearly beats, the surest first."""
    if not subject.rows or not is_classes(subject.kind, subject.rows):
        return Seen()
    labels = sorted({str(row.expected) for row in subject.rows})
    if len(subject.rows) < LEAST_ROWS or not 2 <= len(labels) <= MOST_CLASSES:
        return Seen()
    index = {label: place for place, label in enumerate(labels)}
    found = suspicious([row.text() for row in subject.rows], np.array([index[str(row.expected)] for row in subject.rows]))
    if not found:
        return Seen()
    places = first(f"{subject.rows[row].place} ({subject.rows[row].expected} → {labels[label]})" for row, label in found)
    share = 100 * len(found) / len(subject.rows)
    common = Counter((str(subject.rows[row].expected), labels[label]) for row, label in found).most_common(3)
    mixed = ", ".join(f"{given} → {better} ({count})" for (given, better), count in common)
    values = {"share": share, "mixed": mixed}
    return Seen(findings=(Finding(code="suspicious-labels", severity="warning", count=len(found), rows=places, values=values),))


def suspicious(texts: list[str], given: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(row, the label that fits better) of every doubtful row, the most doubtful first. `given` holds label numbers 0..C-1."""
    classes = int(given.max()) + 1
    shares_RC = probabilities(left_out_cosines(tfidf_blocks(texts), given, classes), given)
    own_R = shares_RC[np.arange(len(given)), given]
    usual_C = np.bincount(given, own_R, classes) / np.maximum(np.bincount(given, minlength=classes), 1)
    doubt_R = own_R / np.maximum(usual_C[given], 1e-12)
    better_R = shares_RC.argmax(axis=1)
    rows = np.flatnonzero((better_R != given) & (doubt_R < DOUBT / classes))
    order = rows[np.argsort(doubt_R[rows], kind="stable")]
    return [(int(row), int(better_R[row])) for row in order]


def left_out_cosines(blocks: Sequence[csr_matrix], given: npt.NDArray[np.int64], classes: int) -> Matrix:
    """(rows, classes): cosine of each row (of length one) with each class's mean; with its own class's without itself."""
    members = csr_matrix((np.ones(len(given), np.float32), (np.arange(len(given)), given)), shape=(len(given), classes))
    sums_VC = np.zeros((blocks[0].shape[1], classes), np.float32)
    start = 0
    for block in blocks:
        sums_VC += (block.T @ members[start : start + block.shape[0]]).toarray()
        start += block.shape[0]
    products_RC = np.concatenate([np.asarray(block @ sums_VC, np.float32) for block in blocks])
    squares_C = (sums_VC * sums_VC).sum(axis=0)
    cosines_RC = products_RC / np.sqrt(np.maximum(squares_C, 1e-9))
    rows = np.arange(len(given))
    own_R = products_RC[rows, given]
    rest_R = squares_C[given] - 2 * own_R + 1
    cosines_RC[rows, given] = np.where(rest_R > 1e-4, (own_R - 1) / np.sqrt(np.maximum(rest_R, 1e-4)), 0)
    return np.asarray(cosines_RC, np.float32)


def probabilities(cosines_RC: Matrix, given: npt.NDArray[np.int64]) -> Matrix:
    """Softmax at the temperature under which the given labels are most likely, wrong ones not weighing without bound."""
    scales = np.geomspace(3, 100, 12)
    some = slice(None, None, -(-len(given) // MOST_FITTED))
    own = np.arange(len(given[some])), given[some]
    fits = [float(np.log(softmax(cosines_RC[some], scale)[own] + 1e-3).mean()) for scale in scales]
    return softmax(cosines_RC, float(scales[int(np.argmax(fits))]))


def softmax(scores_RC: Matrix, scale: float) -> Matrix:
    """Rows of shares that sum to one."""
    powers = np.exp(scale * (scores_RC - scores_RC.max(axis=1, keepdims=True)))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
