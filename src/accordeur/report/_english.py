"""The strings of a report in English."""

ENGLISH = {
    "and": "and",
    "title": "Which way of adapting? {task}",
    "overline": "Comparison report",
    "facts_rows": "{train} rows to learn from, {validation} to choose on, {test} to judge on",
    "facts_base": "base model {name} ({family}, {parameters} parameters)",
    "facts_metric": "judged by {metric}",
    "contents": "Contents",
    # the verdict
    "verdict": "Verdict",
    "decision_use": "use",
    "decision_do-not-fine-tune": "do not fine-tune",
    "decision_cannot-tell": "cannot tell",
    "headline_use": "Use {method}.",
    "headline_do-not-fine-tune": "Do not fine-tune: {method} is enough.",
    "headline_cannot-tell": "Too close to call, leaning to {method}.",
    "headline_nothing": "No verdict: no method finished.",
    "lead_is": "{method}: {gloss}.",
    "lead_score": (
        "On {rows} test rows that no method had seen, it scores {score} ({metric}); on other rows of the same kind, expect "
        "between {low} and {high}."
    ),
    "lead_score_lower": (
        "On {rows} test rows that no method had seen, its {metric} is {score} (lower is better); on other rows of the same "
        "kind, expect between {low} and {high}."
    ),
    "why": "Why",
    "why_short": (
        "The budget ended before these had seen every train row once: {methods}. What is said here holds for this budget; with "
        "more minutes (--budget) they may well score higher."
    ),
    "why_nothing": "No method finished with a score, so there is nothing to compare.",
    "fact_quality": "Quality",
    "fact_fit": "Time to fit",
    "fact_memory": "Peak memory",
    "fact_speed": "Time per answer",
    "fact_disk": "Kept on disk",
    "fact_money": "Cost to fit",
    "interval_95": "95 % interval {span}",
    "collect_more": (
        "Collect about {more} more training rows: from {before} to {rows} rows {method} got better by {gain} ({span}), and if"
        " it goes on so with every doubling, that many more bring another {tolerance}."
    ),
    "collect_far": (
        "From {before} to {rows} training rows {method} got better by {gain} ({span}), but another {tolerance} is out of "
        "reach: it would take more than ten times the rows, or a score beyond the end of the scale."
    ),
    "collect_not": ("More training rows are not shown to help: from {before} to {rows} rows {method} moved by {gain} ({span})."),
    # quality
    "quality": "Quality",
    "quality_intro": (
        "Every method answered the same {rows} test rows, once, at the end. The bar around a score is its 95 % interval: "
        "where the score would fall on other rows of the same kind. Whether two methods differ is judged on their row-by-row "
        "differences, further down, not by whether these bars overlap."
    ),
    "quality_chart": (
        "{metric} of each method on the test rows, with 95 % intervals. Small dots are single seeds; an arrow points to a "
        "value beyond the axis."
    ),
    "quality_table": "All metrics, with 95 % intervals over test rows. Select a heading to sort.",
    "higher": "higher is better",
    "lower": "lower is better",
    "differences": "Is the difference real?",
    "differences_intro": (
        "Each line sets a method against {against}, the best score here, on the same rows. The shaded band is the tolerance: "
        "differences within {tolerance} do not matter. The intervals are widened so that all of them hold at once."
    ),
    "differences_chart": (
        "Difference in {metric} from {against}, with intervals that hold together. An arrow points to a value beyond the axis."
    ),
    "differences_table": "The numbers of the chart; p is adjusted for the number of comparisons (Holm).",
    "difference_axis": "difference in {metric}, {unit}",
    "left_worse": "left: worse, right: better",
    "left_better": "left: better, right: worse",
    "against": "{method} against {against}",
    "not_compared": "Not in the comparison",
    "not_compared_intro": "A method that does not apply, or did not finish, is listed here with its reason.",
    # cost
    "cost": "Quality against cost",
    "cost_intro": "Up is better, left is cheaper. The thin line steps through the methods that nothing beats at their cost.",
    "cost_intro_lower": (
        "Down is better, left is cheaper. The thin line steps through the methods that nothing beats at their cost."
    ),
    "cost_fit": "computing time to fit",
    "cost_memory": "peak memory",
    "cost_size": "kept on disk",
    "cost_latency": "time per answer",
    "cost_chart": "{metric} against {cost}",
    "cost_table": "What each method costs; means over seeds, the highest peak of memory.",
    "money_note": "In the currency of the given price of {price} per hour.",
    # curves
    "curves": "Learning curves",
    "curves_intro": (
        "How training went, step by step. The dot marks the state that was kept; several seeds are drawn over one another."
    ),
    "curve_loss": "loss on the training rows",
    "curve_score": "{metric} on the validation rows",
    "curve_step": "step",
    "curve_chart": "Learning curve of {method}",
    # overfitting, forgetting
    "overfitting": "Overfitting",
    "overfitting_intro": (
        "The same metric on rows seen in training (ring) and on test rows (dot), with the gap between them and its interval. "
        "A wide gap means that the method has learned rows by heart."
    ),
    "overfitting_chart": "{metric} on a sample of the training rows and on the test rows",
    "forgetting": "Forgetting",
    "forgetting_intro": (
        "What the base model could do in general before it was adapted, and what is left after: {metric}. A loss whose "
        "interval excludes zero is real."
    ),
    "forgetting_chart": "What adapting cost in {metric}; right of zero is lost",
    "forgetting_axis": "lost: {metric}, {unit}",
    "forgetting_table": "A general ability before and after adapting, with the 95 % interval of what was lost.",
    "before": "Before",
    "after": "After",
    "lost": "Lost",
    "forgetting_none": "Exactly unchanged, because the base model itself was not moved: {methods}.",
    # rows
    "entities": "Type by type",
    "entities_intro": (
        "An entity is right only with its type, its first and its last token. The score of a type with few entities in the test "
        "rows says little; a dash stands where they have none."
    ),
    "entities_table": (
        "F1 of each type of entity, in points, below it precision (P) and recall (R); means over the seeds of a method."
    ),
    "entity_type": "Type",
    "entity_count": "Entities in the test rows",
    "entity_shares": "P {precision}; R {recall}",
    "errors": "Mistakes, side by side",
    "confusion": "What is taken for what",
    "confusion_intro": (
        "Rows are what was expected, columns what was answered; the darker, the larger the share of the row. The diagonal is "
        "right."
    ),
    "confusion_caption": "{method}: expected (rows), answered (columns)",
    "confusion_seeds": "{count} seeds together",
    "confusion_none": "no label",
    "pairs_caption": "{method}: the most frequent confusions",
    "expected": "Expected",
    "answered": "Answered",
    "count": "Count",
    "hardest": "The hardest rows",
    "hardest_intro": "What nearly every method gets wrong is often mislabelled or ambiguous: these rows are worth a look.",
    "hardest_intro_text": "What all models find improbable is often damaged or in another language: these rows are worth a look.",
    "rows_seed": "Of several seeds, the answers of the first one are shown.",
    "rows_score": "The numbers are the {metric} of a single row.",
    "split": "Where the methods part",
    "split_intro": "The rows on which the answers differ most in quality.",
    "given": "Given",
    "right": "right",
    "wrong": "wrong",
    # data, slices, sizes
    "data": "Audit of the data",
    "data_intro": "What was found in the rows before anything was trained.",
    "audit_rows": "{rows} rows were looked through before anything was trained.",
    "audit_found": "Errors: {errors}, warnings: {warnings}.",
    "audit_clean": "Nothing wrong was found.",
    "audit_forced": "The errors were passed over with --force: mistrust what depends on these rows.",
    "audit_error": "error",
    "audit_warning": "warning",
    "audit_look": "rows to look at",
    "audit_shift": (
        "Do test rows look like training rows? A classifier that tells them apart reaches an AUC of {auc} ({low} to {high});"
        " 0.5 is chance."
    ),
    "audit_noted": "Noted before the first run (as it was printed)",
    "check": "Check",
    "check_rows": "{part} rows",
    "check_within": "{part} rows that repeat an earlier {part} row",
    "check_across": "rows that stand on two sides: {sides}",
    "check_dropped": "rows left out, because another part has their text",
    "check_conflicts": "texts with several labels",
    "check_longest": "tokens of the longest row",
    "check_limit": "tokens a row may have",
    "check_cut_rows": "rows longer than that, which are cut",
    "check_lost_answer_tokens": "answer tokens lost by the cut",
    "found": "Found",
    "first_places": "First places",
    "data_table": "Counts, and the first places where something was found.",
    "labels_table": "Rows of each label in each part.",
    "label": "Label",
    "part_train": "train",
    "part_validation": "validation",
    "part_test": "test",
    "in": "in",
    "slices": "Slices",
    "slices_intro": (
        "{metric} on parts of the test rows, by the value of a column, with 95 % intervals. Small parts have wide intervals. "
        "Values on fewer than 5 rows, or beyond the 30 most frequent ones, stand together as other."
    ),
    "slices_chart": "{metric} of {method} by {column}, with 95 % intervals; rows in brackets",
    "slices_table": "All methods by {column}, with 95 % intervals.",
    "slice": "Part",
    "slice_other": "other ({count} values)",
    "slice_none": "(no value)",
    "also": "On other data",
    "also_intro": (
        "The same models on rows from elsewhere. What is lost there is what to expect when the data move; an interval above"
        " zero says that the loss is real."
    ),
    "also_chart": "{metric} on the test rows (ring) and on {name} (dot), with the gap between them",
    "also_table": "{name}: {rows} rows, with 95 % intervals; a positive drop is a loss.",
    "also_here": "Test rows",
    "also_drop": "Drop",
    "rows": "Rows",
    "sweep": "Settings that were tried",
    "sweep_intro": (
        "The candidates of a sweep saw the same batches and were compared on the same validation rows; the test rows were "
        "answered by the chosen one alone. Differences are from the best one at the same point of training."
    ),
    "sweep_table": "Candidates of {method}, the chosen one first, each where it was last judged.",
    "sweep_candidate": "candidate",
    "sweep_validation": "validation",
    "sweep_share": "judged after",
    "sweep_behind": "behind the best",
    "sweep_sure": "sure that it is worse",
    "sweep_won": "chosen",
    "sweep_remark": "Of {out} that were dropped, {clear} were clearly worse (95 % sure); {close} could not be told apart.",
    "sizes": "Quality against training rows",
    "sizes_intro": (
        "{metric} of methods trained on fewer rows, each part inside the next, with 95 % intervals. A line that still gets "
        "better says that more training rows may help; the verdict says whether that is shown."
    ),
    "sizes_axis": "training rows",
    "sizes_chart": "{metric} of {method} against the number of training rows",
    # settings
    "settings": "Settings and choices",
    "settings_intro": "Everything that each run was asked to do, and what it chose on the validation rows.",
    "group_settings": "Settings",
    "group_facts": "Chosen or measured",
    "group_plan": "Plan",
    "group_provenance": "Made with",
    "group_base": "Base model",
    "group_recipe": "Request",
    "reproduce": "Reproduce",
    "reproduce_intro": "The same command on the same data, base model and seed gives the same models on the same machine.",
    "reproduce_compare": "Run the comparison, or go on with it",
    "reproduce_report": "Make this report again from the stored answers, without the models",
    "notes": "Notes",
    # columns
    "method": "Method",
    "run": "Run",
    "seed": "Seed",
    "seeds": "Seeds",
    "status": "Status",
    "reason": "Reason",
    "difference": "Difference",
    "interval": "Interval",
    "p_adjusted": "Adjusted p",
    "fit_seconds": "Time to fit",
    "fit_cpu_seconds": "Computing time",
    "peak_memory_bytes": "Peak memory",
    "base_bytes": "of which base",
    "trainable_parameters": "Trained weights",
    "tokens_trained": "Tokens trained",
    "artifact_bytes": "Kept on disk",
    "predict_ms_per_row": "Per answer",
    "short_gap": "Overfit",
    "short_forgot": "Forgot",
    "short_fit": "Fit",
    "short_memory": "Memory",
    "short_disk": "Disk",
    "short_answer": "Answer",
    "short_weights": "Weights",
    "short_tokens": "Tokens",
    "small_fit_cpu_seconds": "CPU {value}",
    "small_base_bytes": "base {value}",
    "small_tokens_trained": "{value} tokens",
    "money_fit": "Cost to fit",
    "money_answers": "Per 1,000 answers",
    "gap": "Overfit gap",
    "forgot": "Forgetting",
    "seed_spread": "over seeds {span}",
    "seed_spread_missing": (
        "Seed spread not estimated: that takes at least 5 seeds. The intervals say how far other rows, not other seeds, would"
        " move a score."
    ),
    "recommended": "recommended",
    "leaning": "leaning",
    "status_done": "done",
    "status_skipped": "does not apply",
    "status_failed": "failed",
    "status_interrupted": "interrupted",
    # notes
    "note_damaged": "Run {run} is damaged or incomplete on disk and was left out.",
    "note_missing": "Planned, but not run yet: {runs}.",
    "note_foreign": "In the folder, but not part of this comparison: {runs}.",
    "note_cut": "{method} has less room for the text: {share} % of the rows are cut for it.",
    "note_no_primary": "{method} gives no {metric}, so it can't be part of the verdict.",
    "note_forced": "The audit found errors in the data, and somebody chose to go on: see “Audit of the data”.",
    "note_seed_lost": "{method}: run {run} is missing from the averages ({status}).",
    "note_size_lost": "Quality against training rows lacks run {run} ({status}).",
    "note_other_primary": "Judged by {metric}, because not every method gives {wanted}.",
    # names
    "unit_points": "points",
    "unit_nats": "nats",
    "unit_bits": "bits",
    "unit_score": "",
    "kind_classify": "classification",
    "kind_tag": "tagging",
    "kind_extract": "extraction",
    "kind_write": "writing",
    "kind_prefer": "preferences",
    "kind_text": "text",
    # the model card
    "money_each": "per 1,000 answers: {value}",
    "card_made": (
        "A model of kind *{kind}*, made by the method `{method}` (seed {seed}) from the base model {base} on the dataset {task}."
    ),
    "card_part": "It saw only {rows} of the train rows, to show quality against rows.",
    "card_named": "The comparison recommends this method.",
    "card_leaning": "The comparison can't tell the methods apart for certain; it leans to this one.",
    "card_other": "The comparison recommends `{method}` instead.",
    "card_other_leaning": "The comparison can't tell the methods apart for certain; it leans to `{method}`.",
    "card_evidence": "Evidence",
    "card_rows": (
        "Judged once on {rows} test rows that no method had seen. The intervals are 95 % intervals over test rows, given this"
        " model."
    ),
    "card_metric": "Metric",
    "card_value": "Value",
    "card_compared": "Compared with the other methods on the same rows",
    "card_limits": "Limits",
    "card_limit_rows": "The scores hold for rows of the same kind as the test rows. Other data were not looked at.",
    "card_limit_rows_also": "The scores hold for rows of the same kind as the test rows. On other data:",
    "card_limit_also": "{name} ({rows} rows): {score}, a drop of {drop} ({span}) against the test rows.",
    "card_limit_seed": "This is one seed. How much training again would change it is not covered by the intervals.",
    "card_limit_gap": "On training rows it scores {train}, on test rows {test}: a gap of {gap} ({span}).",
    "card_limit_forgot": "{metric}: {before} before, {after} after adapting; lost {change} ({span}).",
    "card_cost": "Cost",
    "card_use": "Use",
    "card_training": "Training",
    "card_use_words": "The folder holds only what was moved or added; the base model is loaded beside it.",
    "foot": "Made by accordeur from the stored answers of the runs. Nothing on this page comes from the network.",
}
