"""Trials: time on another plan, and the change that is booked when it is over.

An account has the trial of a plan once, and only while the rule that it names is on; otherwise the subscription starts
without it, and a signal says so.
"""

from __future__ import annotations

from rating.catalog import Plan, Trial
from rating.rules import look, signals
from rating.state import Change, Terms
from rating.step import Step


def trial_of(step: Step, plan: Plan, wanted: bool) -> Trial | None:
    """The trial that a subscription to the plan begins with."""
    trial = plan.trial
    if trial is None or not wanted or _had(step, plan) or not _eligible(step, trial):
        return None
    return trial


def told(step: Step, plan: Plan, trial: Trial | None, wanted: bool) -> None:
    """Note that the account has had the trial, or say that it does not get it."""
    if trial is not None:
        step.cells.put(("account", step.tenant, step.account), f"trial|{plan.key}", step.now or 1)
    elif plan.trial is not None and wanted:
        signals.write(step, plan.trial.eligible, "trial", signals.OFF, {"plan": plan.key}, {})


def end_of(step: Step, trial: Trial, chosen: Plan, terms: Terms, at: int) -> Change:
    """The change at a trial's end: to the plan that was subscribed, to another, or the subscription's end."""
    if trial.then == "cancel":
        return Change("cancel", at, None, None, "", False)
    if trial.then is None:
        plan, version = chosen.key, chosen.version
    else:
        found = step.catalog.choose(trial.then, at)
        plan, version = (trial.then, 0) if found is None else (found.key, found.version)
    after = terms._replace(start=at, plan=plan, version=version, restarts=False, trial=False)
    return Change("change_plan", at, None, after, "", False)


def _had(step: Step, plan: Plan) -> bool:
    return step.cells.get(("account", step.tenant, step.account), f"trial|{plan.key}") is not None


def _eligible(step: Step, trial: Trial) -> bool:
    """Whether the trial's rule, where it names one, is on for the account."""
    return trial.eligible is None or look.is_on(step, trial.eligible)
