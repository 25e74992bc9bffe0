"""How well the checks work: captions that are known to be true or false, made from facts by code."""

from earthloom.caption.trials.scoring import Score, Trial, judge_trials, make_trials, score_trials

__all__ = ["Score", "Trial", "judge_trials", "make_trials", "score_trials"]
